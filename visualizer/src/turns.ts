/**
 * @module turns: what is asked for while a step is under way waits for its turn, so that quick keys
 * and clicks are not lost.
 */
import type { OfferedChoice } from './engine/protocol.ts';
import { act, frame, isBusy, scene } from './store.ts';

/** More than a hand means: a key that is held down does not run on when it is let go. */
const waitingMax = 20;

let waiting = 0;
let turn: Promise<void> = Promise.resolve();

/** Does it after what was asked for before, in the same scene; nothing if too much waits. */
export function inTurn(task: () => Promise<void> | undefined): void {
  if (waiting >= waitingMax) return;
  const { value: asked } = scene;
  waiting++;
  turn = turn.then(async () => {
    try {
      await untilIdle();
      if (scene.value === asked) await task();
    } finally {
      waiting--;
    }
  });
}

/** The choice, if it is still there when its turn comes: a second click on it is none. */
export function actInTurn({ label }: OfferedChoice): void {
  inTurn(() => {
    const choice = frame.value?.choices.find((offered) => offered.label === label);
    return choice && act(choice);
  });
}

/** Something else, such as a run to the end, may be under way. */
function untilIdle(): Promise<void> {
  if (!isBusy.value) return Promise.resolve();
  return new Promise((resolve) => {
    const stop = isBusy.subscribe((isStill) => {
      if (isStill) return;
      stop();
      resolve();
    });
  });
}
