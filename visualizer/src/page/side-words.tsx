/**
 * @module side-words: over a side's charts, where the step leaves it.
 */
import { focus, sidesNow } from '../focus-store.ts';
import { sideHarms } from '../harm-store.ts';
import { chartWords } from '../model/culprit.ts';
import type { SideAt } from '../model/focus.ts';
import { standWords } from '../model/telling.ts';
import type { Track } from '../model/trace-model.ts';
import { at, models, positionAt, preset, recording } from '../store.ts';
import { Worded } from './worded.tsx';

interface Props {
  readonly side: number;
  readonly now: SideAt;
  readonly before: number;
  /** The coordinator whose chart is shown. */
  readonly shown: Track | undefined;
}

export function SideWords({ side, now, before, shown }: Props) {
  if (recording.value !== null || shown === undefined) return null;
  const { model, position } = now;
  const step = { model, from: before, to: position };
  const wanted = models.value.map(({ tracks }) => tracks.get(focus.value ?? '')).find(Boolean);
  return (
    <p class="side-words">
      <Worded text={standWords(step, sideHarms.value[side] ?? [])} before={textsBefore(side)} />
      {wanted !== undefined && wanted.actor !== shown.actor && (
        <> Its {chartWords(wanted.chart)} has not begun; this is what is at work here.</>
      )}
    </p>
  );
}

/** What the story says, and the words over the sides before this one. */
function textsBefore(side: number): readonly string[] {
  const others = sidesNow.value.slice(0, side).map(({ model, position }, i) => {
    const step = { model, from: positionAt(i, at.value - 1), to: position };
    return standWords(step, sideHarms.value[i] ?? []);
  });
  return [preset.value?.about ?? '', ...others];
}
