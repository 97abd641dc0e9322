/**
 * @module explanation: what the part of a chart under the mouse, or with the focus, means. It stays
 * while the mouse is over it or the focus in it, and Escape dismisses it (WCAG 1.4.13).
 */
import { signal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Box, Point } from '../diagram/layout.ts';
import { around } from '../model/camera.ts';
import { Worded } from './worded.tsx';

interface Explanation {
  readonly sentences: readonly string[];
  readonly about: Element;
  /** Where the mouse met it; null: the keyboard did. */
  readonly at: Point | null;
  /** Where it is told: that one draws it behind itself, so that Tab leads into it. */
  readonly teller: object;
}

const shown = signal<Explanation | null>(null);
export function explain(explanation: Explanation): void {
  keep();
  if (shown.value?.about !== explanation.about) shown.value = explanation;
}

/** Whether there was one. */
export function dismissExplanation(): boolean {
  keep();
  const wasShown = shown.value !== null;
  shown.value = null;
  return wasShown;
}

/** The mouse has a moment to get from the part to its explanation. */
const graceMs = 300;
let leaving: ReturnType<typeof setTimeout> | undefined;

export function leaveExplanation(): void {
  keep();
  leaving = setTimeout(dismissExplanation, graceMs);
}

function keep(): void {
  clearTimeout(leaving);
}

/** Of `teller`, when it is shown. */
export function ExplanationOf({ teller }: { readonly teller: object }) {
  const explanation = shown.value;
  if (explanation === null || explanation.teller !== teller) return null;
  return <Explained {...explanation} />;
}

function Explained({ about, at, sentences }: Explanation) {
  const element = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    const box = element.current as HTMLElement;
    const place = () => placeNear(box, at === null ? about.getBoundingClientRect() : around([at]));
    place();
    const onScroll = ({ target }: Event) => {
      // The mouse is where it was; what is under it by then says so itself.
      if (at === null && !box.contains(target as Node)) place();
    };
    document.addEventListener('scroll', onScroll, { capture: true, passive: true });
    return () => document.removeEventListener('scroll', onScroll, { capture: true });
  });
  return (
    <aside
      class="explanation"
      aria-label="Explanation"
      ref={element}
      onPointerEnter={keep}
      onPointerLeave={leaveExplanation}
      onFocusIn={keep}
      onFocusOut={leaveExplanation}
    >
      {sentences.map((sentence) => (
        <p key={sentence}>
          <Worded text={sentence} />
        </p>
      ))}
    </aside>
  );
}

const gap = 6;

/** Below, or above where there is no room below. */
function placeNear(box: HTMLElement, { x, y, height: high }: Box): void {
  const { width, height } = box.getBoundingClientRect();
  const isBelow = y + high + gap + height <= innerHeight;
  const left = Math.min(Math.max(gap, x), Math.max(gap, innerWidth - width - gap));
  box.style.left = `${left}px`;
  box.style.top = `${isBelow ? y + high + gap : Math.max(gap, y - gap - height)}px`;
}
