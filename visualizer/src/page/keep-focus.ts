/**
 * @module keep-focus: the focus stays where the hands are. When what has it goes away, because its
 * message was delivered, it goes to what is in the same place now: the same button of the next row,
 * or the last row, or the panel; never to the top of the page.
 *
 * Where messages are chosen, Enter is pressed again and again: there it goes to a message to deliver
 * and to nothing else, so that no second Enter lets time pass or breaks anything.
 */

/** Rows of what can be gone through. */
const rowsOf = 'ol, ul, tbody, .others, .actions';
const focusable = 'button, input, select, summary, a[href], [tabindex="0"]';

interface Place {
  readonly element: Element;
  /** Inside first: lists, then the panel, then the page. */
  readonly holders: readonly { readonly holder: Element; readonly row: number }[];
  /** Of the element in its row. */
  readonly column: number;
}

/** Begins to watch. Returns what ends it. */
export function keepFocus(): () => void {
  let place: Place | undefined;
  const onFocus = ({ target }: FocusEvent) => {
    place = target instanceof Element ? placeOf(target) : undefined;
  };
  const observer = new MutationObserver(() => {
    if (place === undefined) return;
    if (place.element.isConnected) {
      place = placeOf(place.element);
    } else if (document.activeElement === document.body || document.activeElement === null) {
      (messageFor(place) ?? nextOf(place))?.focus();
    }
  });
  addEventListener('focusin', onFocus);
  observer.observe(document.body, { childList: true, subtree: true });
  return () => {
    removeEventListener('focusin', onFocus);
    observer.disconnect();
  };
}

function placeOf(element: Element): Place {
  const holders: { holder: Element; row: number }[] = [];
  let row: Element = element;
  for (let above = element.parentElement; above !== null; above = above.parentElement) {
    if (above.matches(`${rowsOf}, section, main`)) {
      holders.push({ holder: above, row: [...above.children].indexOf(childOf(above, row)) });
      row = above;
    }
  }
  const own = holders[0]?.holder;
  const inRow = own === undefined ? element : childOf(own, element);
  const column = focusablesIn(inRow).indexOf(element as HTMLElement);
  return { element, holders, column };
}

function childOf(holder: Element, inner: Element): Element {
  let child = inner;
  while (child.parentElement !== null && child.parentElement !== holder)
    child = child.parentElement;
  return child;
}

function focusablesIn(row: Element): HTMLElement[] {
  const inside = [...row.querySelectorAll<HTMLElement>(focusable)];
  return row.matches(focusable) ? [row as HTMLElement, ...inside] : inside;
}

/** In the panel of messages: the one in its place, else the first, else the panel's heading. */
function messageFor({ holders }: Place): HTMLElement | undefined {
  const panel = holders.find(({ holder }) => holder.matches('.flight'))?.holder;
  if (!panel?.isConnected) return undefined;
  const messages = [...panel.querySelectorAll<HTMLElement>('.deliver')];
  const row = holders.find(({ holder }) => holder.matches('ol'))?.row ?? 0;
  const heading = panel.querySelector<HTMLElement>('h2[tabindex]');
  return messages[Math.min(row, messages.length - 1)] ?? heading ?? undefined;
}

function nextOf({ holders, column }: Place): HTMLElement | undefined {
  for (const [i, { holder, row }] of holders.entries()) {
    if (!holder.isConnected) continue;
    const rows = [...holder.children].map(focusablesIn);
    // What came after it is where it was; else what came before it.
    const [there] = [...rows.slice(row), ...rows.slice(0, row).reverse()].filter(hasAny);
    if (there !== undefined) return there[i === 0 ? Math.min(column, there.length - 1) : 0];
  }
  return undefined;
}

function hasAny(row: readonly HTMLElement[]): boolean {
  return row.length > 0;
}
