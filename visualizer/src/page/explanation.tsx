/**
 * @module explanation: what the part of a chart under the mouse, or with the focus, means. It stays
 * while the mouse is over it or the focus in it, and Escape dismisses it (WCAG 1.4.13).
 */
import { signal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { Worded } from './worded.tsx';

interface Explanation {
  readonly sentences: readonly string[];
  readonly about: Element;
  /** Where it is told: that one draws it behind itself, so that Tab leads into it. */
  readonly teller: object;
}

const shown = signal<Explanation | null>(null);
export function explain(teller: object, about: Element, sentences: readonly string[]): void {
  keep();
  if (shown.value?.about !== about) shown.value = { teller, about, sentences };
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

function Explained({ about, sentences }: Explanation) {
  const element = useRef<HTMLElement>(null);
  // Where there is room, as near as can be.
  useLayoutEffect(() => {
    const box = element.current as HTMLElement;
    const { left, bottom, top } = about.getBoundingClientRect();
    const { width, height } = box.getBoundingClientRect();
    const below = bottom + gap + height <= innerHeight;
    const x = Math.min(Math.max(gap, left), Math.max(gap, innerWidth - width - gap));
    const y = below ? bottom + gap : Math.max(gap, top - gap - height);
    box.style.left = `${x}px`;
    box.style.top = `${y}px`;
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
