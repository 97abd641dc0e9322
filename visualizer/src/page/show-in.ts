/**
 * @module show-in: brings a part of a list into view, and scrolls nothing else: the page stays where
 * the reader has it.
 */

/** False when there is no such part. */
export function showIn(list: HTMLElement | null, selector: string): boolean {
  const part = list?.querySelector<HTMLElement>(selector);
  if (list === null || !part) return false;
  const [room, box] = [list.getBoundingClientRect(), part.getBoundingClientRect()];
  if (box.top < room.top) list.scrollTop -= room.top - box.top;
  else if (box.bottom > room.bottom) list.scrollTop += box.bottom - room.bottom;
  if (box.left < room.left) list.scrollLeft -= room.left - box.left;
  else if (box.right > room.right) list.scrollLeft += box.right - room.right;
  return true;
}
