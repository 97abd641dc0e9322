/**
 * @module keys: everything by keyboard. Never in fields; single characters can be turned off.
 */
import { exploreOrders, showsFaults } from '../explore-store.ts';
import { goToParting, goToViolation } from '../focus-store.ts';
import { markAt } from '../model/trace-model.ts';
import { goToHit } from '../recording-store.ts';
import {
  act,
  at,
  finish,
  focusedChild,
  goTo,
  last,
  models,
  positionAt,
  togglePlaying,
  violations,
} from '../store.ts';
import { leaveTalk, toggleTalk } from '../talk.ts';
import { actInTurn, inTurn } from '../turns.ts';
import { toggleContext } from './context-panel.tsx';
import { dismissExplanation } from './explanation.tsx';
import { choiceFor, flights } from './flight-panel.tsx';
import { hasLetterKeys, openHelp } from './help.tsx';
import { panLanes, zoomLanes } from './lanes.tsx';

export function onKey(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) {
    return;
  }
  const { target, key } = event;
  const element = target as HTMLElement;
  if (element.closest?.('input, select, textarea') !== null) return;
  // Space and Enter press what has the focus.
  const isPressing =
    (key === ' ' || key === 'Enter') && element.closest('button, summary') !== null;
  if (isPressing) return;
  const isLetter = key.length === 1 && key !== ' ';
  if (isLetter && !hasLetterKeys.value) return;
  const does = event.shiftKey && key.startsWith('Arrow') ? shifted[key] : plain[key];
  const digit = /^[1-9]$/.test(key) ? Number(key) : 0;
  if (does === undefined && digit === 0) return;
  event.preventDefault();
  if (digit > 0) deliver(digit - 1);
  else does?.(element);
}

const plain: Readonly<Record<string, (element: HTMLElement) => void>> = {
  ArrowLeft: () => goTo(at.value - 1),
  ArrowRight: () => goTo(at.value + 1),
  Home: () => goTo(0),
  End: () => goTo(last.value),
  Escape: () => dismissExplanation() || leaveTalk() || goTo(last.value),
  ' ': () => togglePlaying(),
  x: drop,
  r: () => inTurn(finish),
  e: () => void exploreOrders(),
  v: nextViolation,
  c: goToParting,
  w: () => zoomLanes(1.25),
  s: () => zoomLanes(0.8),
  a: () => panLanes(-0.5),
  d: () => panLanes(0.5),
  i: toggleContext,
  n: () => goToHit(1),
  N: () => goToHit(-1),
  '/': () => document.querySelector<HTMLElement>('.deliver, .search input')?.focus(),
  p: toggleTalk,
  '?': openHelp,
};

const shifted: Readonly<Record<string, () => void>> = {
  ArrowLeft: () => goToMove(-1),
  ArrowRight: () => goToMove(1),
};

function deliver(index: number): void {
  inTurn(() => {
    const flight = flights()[index];
    const choice = flight && choiceFor('deliver', flight.message.label);
    return choice && act(choice);
  });
}

function drop(element: HTMLElement): void {
  const label = element.closest<HTMLElement>('[data-message]')?.dataset.message;
  const isMeant = label !== undefined && showsFaults.value;
  const choice = isMeant ? choiceFor('drop', label) : undefined;
  if (choice !== undefined) actInTurn(choice);
}

function nextViolation(): void {
  const broken = violations.value.flatMap(({ violation } = {} as never, side) =>
    violation == null ? [] : [{ side, step: violation.step }],
  );
  const next = broken.find(({ step }) => step > at.value) ?? broken[0];
  if (next !== undefined) goToViolation(next.side);
}

/** To the nearest step at which the picked child, or else any coordinator, moves. */
function goToMove(direction: number): void {
  const [model] = models.value;
  const picked = model?.tracks.get(focusedChild.value ?? '');
  const tracks = picked === undefined ? (model?.coordinators ?? []) : [picked];
  const markOf = (step: number) => tracks.map((t) => markAt(t, positionAt(0, step))?.position ?? 0);
  const here = String(markOf(at.value));
  for (let step = at.value + direction; step >= 0 && step <= last.value; step += direction) {
    if (String(markOf(step)) === here) continue;
    goTo(step);
    return;
  }
}
