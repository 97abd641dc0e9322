/**
 * @module operation-tree: the operations as a tree of rows. Only the rows in view are there, so
 * thousands are no slower than ten; the tree has the focus, and says which row is meant.
 */
import { signal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { endTime } from '../live-clock.ts';
import {
  durationWords,
  gapWords,
  outcomeOf,
  outcomeOfTrack,
  shortFile,
  spanOf,
  type TreeRow,
  treeRows,
} from '../model/operation-tree.ts';
import {
  found,
  lookAt,
  nameOfServer,
  openRows,
  selectedName,
  selectOperation,
  toggleRow,
} from '../recording-store.ts';
import { focusedChild, focusedRoot, goTo, growth, recording } from '../store.ts';

const rowHeight = 26;
/** Of the row that the keys act on. */
const activeId = signal<string | null>(null);
const scrollTop = signal(0);
const height = signal(300);

export function OperationTree() {
  const holder = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const observer = new ResizeObserver(([entry]) => {
      if (entry !== undefined) height.value = entry.contentRect.height;
    });
    observer.observe(holder.current as HTMLElement);
    return () => observer.disconnect();
  }, []);
  const { value: chosen } = selectedName;
  useLayoutEffect(() => {
    const row = rows.findIndex(({ id }) => id === chosen);
    if (row < 0 || rows[row]?.id === activeId.value) return;
    activeId.value = chosen;
    intoView(holder.current as HTMLElement, row);
  }, [chosen]);
  void growth.value;
  const { value } = recording;
  const rows = value === null ? [] : treeRows(value.model, found.value.operations, openRows.value);
  const active = Math.max(
    0,
    rows.findIndex(({ id }) => id === activeId.value),
  );
  const first = Math.max(0, Math.floor(scrollTop.value / rowHeight) - 4);
  const last = Math.ceil((scrollTop.value + height.value) / rowHeight) + 4;
  const shown = rows.slice(first, last);
  const isActiveShown = active >= first && active < last;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: a tree; one without rows would be none
    // biome-ignore lint/a11y/useAriaPropsSupportedByRole: both roles may have a name
    <div
      class="operation-tree"
      ref={holder}
      role={rows.length > 0 ? 'tree' : 'group'}
      tabIndex={0}
      aria-label="Operations, and what they have invoked"
      aria-activedescendant={isActiveShown && rows.length > 0 ? `row-${active}` : undefined}
      onScroll={({ currentTarget }) => {
        scrollTop.value = currentTarget.scrollTop;
      }}
      onKeyDown={(event) => {
        const next = keyed(event, rows, active);
        if (next === undefined) return;
        event.preventDefault();
        event.stopPropagation();
        activeId.value = rows[next]?.id ?? null;
        intoView(event.currentTarget, next);
      }}
    >
      <div role="presentation" style={{ height: `${first * rowHeight}px` }} />
      {shown.map((row, i) => (
        <Row key={row.id} row={row} place={first + i} isActive={first + i === active} />
      ))}
      <div
        role="presentation"
        style={{ height: `${Math.max(0, rows.length - last) * rowHeight}px` }}
      />
      {rows.length === 0 && <p class="none">none</p>}
    </div>
  );
}

interface RowProps {
  readonly row: TreeRow;
  readonly place: number;
  readonly isActive: boolean;
}

function Row({ row, place, isActive }: RowProps) {
  if (row.gap !== null) return <GapRow row={row} gap={row.gap} place={place} isActive={isActive} />;
  const { id, operation, track, level, isOpen } = row;
  const { isLive } = recording.value as NonNullable<typeof recording.value>;
  const { word, shape, tone } =
    track === null ? outcomeOf(operation, isLive) : outcomeOfTrack(track);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree has the keys
    <div
      id={`row-${place}`}
      class={`tree-row level-${level} ${isActive ? 'active' : ''}`}
      role="treeitem"
      tabIndex={-1}
      aria-level={level}
      aria-posinset={row.place}
      aria-setsize={row.siblings}
      aria-expanded={isOpen ?? undefined}
      aria-selected={isSelected(row)}
      title={track?.actor ?? [operation.name, operation.file].filter(Boolean).join(', file ')}
      onClick={({ target }) => {
        activeId.value = id;
        if ((target as Element).closest('.twisty') !== null && isOpen !== null) toggleRow(id);
        else choose(row);
      }}
    >
      <span class="twisty" aria-hidden="true">
        {isOpen === null ? '' : isOpen ? '▾' : '▸'}
      </span>
      <span class="what">
        <b>{nameOf(row)}</b>
        {track === null && operation.file !== null && <code>{shortFile(operation.file)}</code>}
      </span>
      <span class={`outcome ${tone}`}>
        <i aria-hidden="true">{shape}</i> {word}
      </span>
      <Took row={row} />
    </div>
  );
}

/** What runs is told anew while time goes on; its row is not. */
function Took({ row }: { readonly row: TreeRow }) {
  const span = spanOf(row);
  return <span class="took">{durationWords(span, span.to ?? endTime.value)}</span>;
}

function GapRow({ row, gap, place, isActive }: RowProps & { gap: NonNullable<TreeRow['gap']> }) {
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree has the keys
    <div
      id={`row-${place}`}
      class={`tree-row gap level-1 ${isActive ? 'active' : ''}`}
      role="treeitem"
      tabIndex={-1}
      aria-level={1}
      aria-posinset={row.place}
      aria-setsize={row.siblings}
      aria-selected={false}
      onClick={() => {
        activeId.value = row.id;
        choose(row);
      }}
    >
      <span class="twisty" aria-hidden="true" />
      <span class="what">⋯ {gapWords(gap)}</span>
    </div>
  );
}

/** `query attic sh0`: servers by their nicknames. */
function nameOf({ operation, track }: TreeRow): string {
  if (track === null) return operation.name;
  if (!track.isOneOfMany || track.server === null) return track.key;
  const last = track.actor.split('/').at(-1) as string;
  const [kind = '', , shares] = last.split(':');
  return `${kind} ${nameOfServer(track.server)}${shares === undefined ? '' : ` sh${shares}`}`;
}

function isSelected({ operation, track }: TreeRow): boolean {
  if (track === null) return operation.name === selectedName.value;
  return track.actor === (track.isOneOfMany ? focusedChild.value : focusedRoot.value);
}

function choose({ operation, track, gap }: TreeRow): void {
  const { position = 1 } = track?.end ?? track?.marks.at(-1) ?? {};
  if (gap !== null) goTo(gap.position - 1);
  else if (track === null) selectOperation(operation.name);
  else lookAt(operation.name, position, track);
}

/** What a key does in the tree. @returns the row that is meant then; nothing: no key of the tree */
function keyed(event: KeyboardEvent, rows: readonly TreeRow[], active: number): number | undefined {
  const row = rows[active];
  if (row === undefined || event.ctrlKey || event.altKey || event.metaKey) return undefined;
  const parent = rows.findLastIndex(({ level }, i) => i < active && level < row.level);
  switch (event.key) {
    case 'ArrowDown':
      return Math.min(rows.length - 1, active + 1);
    case 'ArrowUp':
      return Math.max(0, active - 1);
    case 'Home':
      return 0;
    case 'End':
      return rows.length - 1;
    case 'PageDown':
      return Math.min(rows.length - 1, active + pageRows());
    case 'PageUp':
      return Math.max(0, active - pageRows());
    case 'ArrowRight':
      if (row.isOpen === false) toggleRow(row.id);
      else if (row.isOpen) return active + 1;
      return active;
    case 'ArrowLeft':
      if (row.isOpen) toggleRow(row.id);
      else if (parent >= 0) return parent;
      return active;
    case 'Enter':
    case ' ':
      choose(row);
      return active;
    default:
      return undefined;
  }
}

function pageRows(): number {
  return Math.max(1, Math.floor(height.value / rowHeight) - 1);
}

function intoView(tree: HTMLElement, row: number): void {
  const [top, bottom] = [row * rowHeight, (row + 1) * rowHeight];
  if (top < tree.scrollTop) tree.scrollTop = top;
  else if (bottom > tree.scrollTop + tree.clientHeight) {
    tree.scrollTop = bottom - tree.clientHeight;
  }
  scrollTop.value = tree.scrollTop;
}
