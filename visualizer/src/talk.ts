/**
 * @module talk: the presentation: the same page for a projector.
 *
 * Sizes are parts of the picture's width, as the wall shows it, not pixels. With a picture 3 m wide
 * and 1920 pixels across, letters of 26 pixels have capitals of 30 mm: from ten metres that is
 * 10 minutes of arc, twice what normal sight just makes out. What is active is larger still.
 */
import { computed, effect, signal } from '@preact/signals';
import { markDeliberate } from './address.ts';
import { fontSizes } from './diagram/layout.ts';

/** Of the smallest letters, in CSS pixels: at a desk, and of a picture 1920 wide on a wall. */
export const letters = { desk: 11, wall: 26 } as const;

export const isTalk = signal(false);

const windowWidth = signal(globalThis.innerWidth ?? 0);

/** Charts are not smaller than this, unless the reader says so. */
export const leastScale = computed(() => {
  const onWall = (letters.wall * windowWidth.value) / 1920;
  return Math.max(letters.desk, isTalk.value ? onWall : 0) / fontSizes.label;
});

/** Going back leads out of it, or into it again: it is an entry of the history. */
export function toggleTalk(): void {
  markDeliberate();
  isTalk.value = !isTalk.value;
}

/** Whether there was something to leave. */
export function leaveTalk(): boolean {
  if (!isTalk.value) return false;
  toggleTalk();
  return true;
}

/** The style is in talk.css. */
export function startTalk(): void {
  addEventListener('resize', () => {
    windowWidth.value = innerWidth;
  });
  effect(() => {
    document.documentElement.classList.toggle('is-talk', isTalk.value);
  });
}
