/**
 * @module explanations: the parts of a drawn chart that explain themselves, by mouse and by
 * keyboard. A chart's arrows are one stop of Tab; the arrow keys go from one to the next.
 */
import type { RefObject } from 'preact';
import { useLayoutEffect } from 'preact/hooks';
import { leavesOf } from '../../../src/runtime/state-text.ts';
import type { Picture } from '../charts.ts';
import type { Point } from '../diagram/layout.ts';
import { idsIn } from '../diagram/svg.ts';
import { explainLine, explainState, type Marks } from '../model/explain.ts';
import { dismissExplanation, explain, leaveExplanation } from './explanation.tsx';

/** Lines, and what happens in a state without leaving it. */
const stops = '.edge, .row';
const parts = '[data-transition], [data-state]';

/** `state` is where the machine is: Tab begins at an arrow that leads away from there. */
export function useExplanations(
  drawing: RefObject<HTMLDivElement | null>,
  picture: Picture | undefined,
  state: string,
  marks: Marks | undefined,
): void {
  const differing = JSON.stringify([...(marks ?? [])]);
  useLayoutEffect(() => {
    const root = drawing.current;
    if (root === null || picture === undefined) return;
    for (const stop of root.querySelectorAll<SVGElement>(stops)) {
      stop.setAttribute('role', 'img');
      stop.setAttribute('aria-label', sentencesOf(stop, picture, marks).join(' '));
    }
    const show = (target: EventTarget | null, at: Point | null) => {
      const about = (target as Element).closest(parts);
      if (about === null) return leaveExplanation();
      const sentences = sentencesOf(about, picture, marks);
      explain({ teller: drawing, about, at, sentences });
    };
    const onPointer = ({ target, clientX, clientY }: PointerEvent) =>
      show(target, { x: clientX, y: clientY });
    const onFocus = ({ target }: Event) => {
      roving(root, target as SVGElement);
      // A click gives the focus too; the mouse has told it then.
      if ((target as Element).matches(':focus-visible')) show(target, null);
    };
    const onKeyDown = (event: KeyboardEvent) => {
      const direction = directions[event.key];
      if (direction === undefined || event.shiftKey) return;
      const all = [...root.querySelectorAll<SVGElement>(stops)];
      const here = all.indexOf(event.target as SVGElement);
      if (here < 0) return;
      event.preventDefault();
      event.stopPropagation();
      all[(here + direction + all.length) % all.length]?.focus();
    };
    const listening = new AbortController();
    const { signal } = listening;
    root.addEventListener('pointerover', onPointer, { signal });
    root.addEventListener('pointerleave', leaveExplanation, { signal });
    root.addEventListener('focusin', onFocus, { signal });
    root.addEventListener('focusout', leaveExplanation, { signal });
    root.addEventListener('keydown', onKeyDown, { signal });
    return () => {
      listening.abort();
      dismissExplanation();
    };
  }, [drawing, picture, differing]);
  useLayoutEffect(() => {
    const root = drawing.current;
    if (root === null || root.contains(document.activeElement)) return;
    const all = [...root.querySelectorAll<SVGElement>(stops)];
    const leads = ({ dataset }: SVGElement) =>
      leavesOf(state).some((leaf) => dataset.transition?.startsWith(`${leaf}|`));
    const first = all.find(leads) ?? all[0];
    if (first !== undefined) roving(root, first);
  }, [drawing, picture, state]);
}

const directions: Readonly<Record<string, number>> = {
  ArrowLeft: -1,
  ArrowUp: -1,
  ArrowRight: 1,
  ArrowDown: 1,
};

function roving(root: Element, chosen: SVGElement): void {
  for (const stop of root.querySelectorAll<SVGElement>(stops)) {
    stop.setAttribute('tabindex', stop === chosen ? '0' : '-1');
  }
}

function sentencesOf(part: Element, picture: Picture, marks: Marks | undefined): readonly string[] {
  const { transition, state } = (part as SVGElement).dataset;
  if (transition === undefined) {
    return picture.placed.states.filter(({ path }) => path === state).map(explainState);
  }
  return idsIn(transition).map((id) => {
    const lacks = marks?.get(id) === 'missing' ? 'Not in this machine. ' : '';
    return `${lacks}${explainLine(picture.entry.chart, id) ?? id}`;
  });
}
