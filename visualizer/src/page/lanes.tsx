/**
 * @module lanes: time to the right in causal order, one lane per operation and per server. Bars are
 * states, arrows are messages; words are drawn last, so that no arrow goes through them. Only what
 * is in view is drawn, so long traces stay quick. A real run has milliseconds instead (time-lanes).
 */

import { effect, signal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { shortState } from '../../../src/runtime/state-text.ts';
import { type Discard, discardOf } from '../model/ending.ts';
import {
  type Arrow,
  isManager,
  lookOf,
  type TraceModel,
  type Track,
} from '../model/trace-model.ts';
import { isTimed, timeMoves } from '../recording-store.ts';
import { at, difference, goTo, growth, models, recording, violations } from '../store.ts';
import { isTalk } from '../talk.ts';

/** Of the lanes' names, in CSS pixels. */
export const gutterWidth = () => (recording.value === null ? 40 : 104);
/** With several operations at one server there is a bar for each. */
const isTall = ({ byStep, operations }: TraceModel) => byStep && operations.length > 1;
/** As `--row` in style.css and talk.css says too, so that no row is cut. */
const rowHeightOf = (model: TraceModel) => (isTall(model) ? 30 : isTalk.value ? 15 : 19);
const axisHeight = 20;
const stepWidth = 40;
const recordWidth = 14;

const zoom = signal(1);
/** The column at the left edge; a fraction while panning. */
const first = signal(0);
const width = signal(800);

/** Whether columns are records, and no steps. */
const isByRecord = () => recording.value !== null && !recording.value.model.byStep;
const columnWidth = () => (isByRecord() ? recordWidth : stepWidth) * zoom.value;
/** The column that is looked at. */
const columnNow = () => (isByRecord() ? at.value : stepAt(at.value));
const stepAt = (position: number) =>
  recording.value === null ? position : (recording.value.model.records[position]?.step ?? 0);
const columnsInView = () => Math.max(1, (width.value - gutterWidth()) / columnWidth());

// What is looked at stays in view.
effect(() => {
  const [step, count] = [columnNow(), columnsInView()];
  // Behind it there is room for what was thrown away there, in the letters of a wall too.
  const behind = isTalk.value ? 2.3 : 1.5;
  if (step < first.peek()) first.value = Math.max(0, step - count * 0.3);
  else if (step > first.peek() + count - behind)
    first.value = Math.max(0, step - count + behind + 0.1);
});

export function zoomLanes(factor: number): void {
  if (isTimed.value) timeMoves.zoom(factor);
  else zoom.value = Math.max(0.2, Math.min(4, zoom.value * factor));
}

export function panLanes(share: number): void {
  if (isTimed.value) timeMoves.pan(share);
  else first.value = Math.max(0, first.value + share * columnsInView());
}

/** Where a column is, in CSS pixels from the left edge of the lanes. */
export function xOf(column: number): number {
  return gutterWidth() + (column - first.value) * columnWidth() + columnWidth() / 2;
}

interface Props {
  readonly model: TraceModel;
  readonly side: number;
  readonly title: string;
}

export function Lanes({ model, side, title }: Props) {
  const holder = useRef<HTMLDivElement>(null);
  const top = useRef(signal(0)).current;
  useLayoutEffect(() => {
    const observer = new ResizeObserver(([entry]) => {
      if (entry !== undefined) width.value = entry.contentRect.width;
    });
    observer.observe(holder.current as HTMLElement);
    return () => observer.disconnect();
  }, []);
  void growth.value;
  const rowHeight = rowHeightOf(model);
  const servers = [...model.servers];
  const names = [...model.operations, ...servers];
  const now = columnNow();
  useLayoutEffect(() => {
    const { from, to } = model.arrows.findLast(({ end }) => end === now) ?? {};
    const row = Math.max(names.indexOf(from ?? ''), names.indexOf(to ?? ''));
    const show = (it: number) => {
      if (holder.current !== null && it >= 0) showRow(holder.current, it * rowHeight, rowHeight);
    };
    show(row);
    // Of both sides the lane whose work one of them throws away: it matters more.
    show(names.indexOf(models.value.map((it) => thrownAway(it, now)).find(Boolean) ?? ''));
  }, [model, now, rowHeight, isTalk.value]);
  const height = axisHeight + names.length * rowHeight;
  const inView = (row: number) => {
    const y = row * rowHeight - top.value;
    return y > -2 * rowHeight && y < 900;
  };
  const shown = names.map((name, row) => ({ name, row })).filter(({ row }) => inView(row));
  const { bars, thrown } = barsIn(model, names, inView);
  const wordsOf = (it: Thrown) => <ThrownWords key={it.track.actor} {...it} />;
  return (
    // biome-ignore lint/a11y/useSemanticElements: no fieldset; it scrolls, so it takes the focus
    <div
      class={isTall(model) ? 'lanes tall' : 'lanes'}
      ref={holder}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls
      tabIndex={0}
      role="group"
      aria-label={`Lanes of ${title}: ${names.length} lanes, ${model.columns} columns. What happens at each step is told below.`}
      onScroll={({ currentTarget }) => {
        top.value = currentTarget.scrollTop;
      }}
    >
      <svg width={width.value} height={height} aria-hidden="true" onClick={pick}>
        <LaneGround names={shown} operations={model.operations.length} rowHeight={rowHeight} />
        {bars.map((bar) => (
          <Bar key={bar.key} bar={bar} />
        ))}
        <LaneArrows model={model} names={names} />
        {bars.map((bar) => bar.words !== '' && <BarWords key={bar.key} bar={bar} />)}
        {thrown.filter(({ discard }) => discard.column > columnNow()).map(wordsOf)}
        <Axis model={model} side={side} height={height} />
        {/* What has happened is under no veil. */}
        {thrown.filter(({ discard }) => discard.column <= columnNow()).map(wordsOf)}
      </svg>
    </div>
  );
}

/** The server whose answer was for nobody, as it turned out at this column. */
function thrownAway(model: TraceModel, column: number): string | null | undefined {
  const isIt = (track: Track) => {
    const discard = discardOf(track, model, Number.POSITIVE_INFINITY);
    return discard?.column === column && discard.isThrownAway;
  };
  return [...model.tracks.values()].find(isIt)?.server;
}

/** The server that the step is about is in view, and no row is cut. */
function showRow(holder: HTMLElement, y: number, height: number): void {
  const room = holder.clientHeight - axisHeight;
  const { scrollTop } = holder;
  if (y < scrollTop) holder.scrollTop = y;
  else if (y + height > scrollTop + room) holder.scrollTop = y + height - room;
}

function pick(event: MouseEvent): void {
  const { left, width: shown } = (event.currentTarget as Element).getBoundingClientRect();
  // On a wall they are larger than their own pixels (talk.css).
  const x = ((event.clientX - left) * width.value) / shown;
  if (x <= gutterWidth()) return;
  const column = Math.floor((x - gutterWidth()) / columnWidth() + first.value);
  const { value } = recording;
  if (value === null || isByRecord()) goTo(column);
  else goTo(value.model.records.findLastIndex(({ step }) => step <= column));
}

interface GroundProps {
  readonly names: readonly { readonly name: string; readonly row: number }[];
  readonly operations: number;
  readonly rowHeight: number;
}

function LaneGround({ names, operations, rowHeight }: GroundProps) {
  const room = Math.floor((gutterWidth() - 10) / 6.7);
  return (
    <>
      {names.map(({ name, row }) => (
        <g key={name} class={row < operations ? 'lane operation' : 'lane'}>
          <rect x={0} y={axisHeight + row * rowHeight} width={width.value} height={rowHeight} />
          <text x={8} y={axisHeight + (row + 0.5) * rowHeight + 4}>
            {name.length > room ? `${name.slice(0, room - 1)}…` : name}
          </text>
        </g>
      ))}
    </>
  );
}

interface DrawnBar {
  readonly key: string;
  readonly tone: string;
  readonly title: string;
  readonly words: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function barsIn(
  model: TraceModel,
  names: readonly string[],
  isInView: (row: number) => boolean,
): { readonly bars: readonly DrawnBar[]; readonly thrown: readonly Thrown[] } {
  const rows = new Map(names.map((name, row) => [name, row]));
  const rowHeight = rowHeightOf(model);
  // Operations without a prefix come one after the other.
  const several = model.byStep ? model.operations.length : 1;
  const bars: DrawnBar[] = [];
  const thrown: Thrown[] = [];
  const rowOf = ({ isOneOfMany, server, operation }: Track) =>
    rows.get(isOneOfMany ? (server ?? '') : operation);
  const begins = new Map<number | undefined, number[]>();
  for (const track of model.tracks.values()) {
    const [row, column] = [rowOf(track), track.marks[0]?.column ?? 0];
    const begun = begins.get(row);
    if (begun === undefined) begins.set(row, [column]);
    else begun.push(column);
  }
  for (const track of model.tracks.values()) {
    // The one that lets others work would lie over them.
    if (isManager(track)) continue;
    const row = rowOf(track);
    if (row === undefined || !isInView(row)) continue;
    const slot = !track.isOneOfMany ? 0 : model.operations.indexOf(track.operation);
    const count = !track.isOneOfMany ? 1 : Math.min(several, 3);
    const height = (rowHeight - 4) / count;
    const y = axisHeight + row * rowHeight + 2 + (slot % count) * height;
    bars.push(...barsOf(track, model.columns, y, height));
    const discard = discardOf(track, model, Number.POSITIVE_INFINITY);
    if (discard === undefined) continue;
    const next = begins.get(row)?.find((column) => column >= discard.column);
    thrown.push({ track, discard, next, y, height });
  }
  return { bars, thrown };
}

function Bar({ bar }: { readonly bar: DrawnBar }) {
  const { tone, title, x, y, width, height } = bar;
  return (
    <g class={`bar ${tone}`}>
      <title>{title}</title>
      <rect x={x} y={y} width={width} height={height - 1} rx={3} />
    </g>
  );
}

function BarWords({ bar }: { readonly bar: DrawnBar }) {
  const { tone, words, x, y, width, height } = bar;
  const room = Math.min(width - 2, words.length * 6.7 + 6);
  return (
    <g class={`bar-words ${tone}`}>
      <rect x={x + 1} y={y + 1} width={Math.max(0, room)} height={height - 3} rx={2} />
      <text x={x + 4} y={y + height / 2 + 4}>
        {words}
      </text>
    </g>
  );
}

function barsOf(track: Track, columns: number, y: number, height: number): DrawnBar[] {
  const { marks, end, actor } = track;
  const [from, to] = [first.value - 1, first.value + columnsInView() + 1];
  const step = columnWidth();
  let low = 0;
  for (let size = marks.length; low < size; ) {
    const middle = (low + size) >> 1;
    if ((marks[middle]?.column ?? 0) < from) low = middle + 1;
    else size = middle;
  }
  const bars: DrawnBar[] = [];
  for (let i = Math.max(0, low - 1); i < marks.length; i++) {
    const mark = marks[i];
    if (mark === undefined || mark.column > to) break;
    // One bar as long as the state stays.
    while (marks[i + 1]?.state === mark.state) i++;
    const next = marks[i + 1];
    const began = marks[i]?.column ?? 0;
    const over = end === null ? columns : Math.max(end.column, began + 0.92);
    const until = next === undefined ? over : next.column;
    if (until <= mark.column || until < from) continue;
    const { tone, shape } = lookOf(mark.state);
    const x = Math.max(gutterWidth(), xOf(mark.column) - step / 2 + 1);
    const w = xOf(until) - step / 2 - 1 - x;
    if (w <= 0) continue;
    const words = height >= 11 ? fit(`${shape} ${shortState(mark.state)}`, shape, w) : '';
    const title = `${actor}: ${mark.state}`;
    bars.push({ key: `${actor} ${i}`, tone, title, words, x, y, width: w, height });
  }
  return bars;
}

interface Thrown {
  readonly track: Track;
  readonly discard: Discard;
  /** Where something else begins in this row. */
  readonly next: number | undefined;
  readonly y: number;
  readonly height: number;
}

/** Behind the bar of a child that was stopped at work. */
function ThrownWords({ track, discard, next, y, height }: Thrown) {
  const x = xOf(discard.column) - columnWidth() / 2 + 2;
  const end = next === undefined ? width.value : xOf(next) - columnWidth() / 2;
  const [short] = discard.words.split(' at ');
  const shape = discard.isThrownAway ? '✗' : '□';
  const words = [discard.words, short, ''].map((text) => `${shape} ${text}`.trim());
  const shown = words.find((text) => text.length * 6.4 <= end - x);
  if (x < gutterWidth() || height < 11) return null;
  return (
    <g class={discard.isThrownAway ? 'thrown bad' : 'thrown'}>
      <title>{`${track.actor}: ${discard.words}`}</title>
      <text x={x} y={y + height / 2 + 4}>
        {shown ?? shape}
      </text>
    </g>
  );
}

function fit(words: string, shape: string, room: number): string {
  if (words.length * 6.4 + 6 <= room) return words;
  return room >= 14 ? shape : '';
}

function LaneArrows({
  model,
  names,
}: {
  readonly model: TraceModel;
  readonly names: readonly string[];
}) {
  const rows = new Map(names.map((name, row) => [name, row]));
  const [from, to] = [first.value - 1, first.value + columnsInView() + 1];
  void growth.value;
  const rowHeight = rowHeightOf(model);
  const middle = (row: number) => axisHeight + (row + 0.5) * rowHeight;
  const inView = ({ start, end }: Arrow) => start <= to && (end ?? model.columns) >= from;
  return (
    <>
      {model.arrows.filter(inView).map((arrow, i) => {
        const [a, b] = [rows.get(arrow.from), rows.get(arrow.to)];
        if (a === undefined || b === undefined) return null;
        return (
          <LaneArrow
            key={`${arrow.start} ${i}`}
            arrow={arrow}
            from={middle(a)}
            to={middle(b)}
            columns={model.columns}
          />
        );
      })}
    </>
  );
}

interface ArrowProps {
  readonly arrow: Arrow;
  /** In CSS pixels from the top. */
  readonly from: number;
  readonly to: number;
  readonly columns: number;
}

function LaneArrow({ arrow, from, to, columns }: ArrowProps) {
  const { start, end, fate, isAnswer, what } = arrow;
  const shift = columnWidth() * 0.16;
  const x1 = Math.max(gutterWidth(), xOf(start) + (isAnswer ? -shift : shift));
  const x2 = Math.max(gutterWidth(), xOf(end ?? columns - 0.6) + (isAnswer ? shift : -shift));
  const down = to > from ? 1 : -1;
  const [y1, y2] = [from + down * 8, to - down * 8];
  const head = `M${x2 - 3.5} ${y2 - down * 6}L${x2} ${y2}L${x2 + 3.5} ${y2 - down * 6}`;
  return (
    <g class={`arrow ${fate} ${isAnswer ? 'answer' : ''}`}>
      <title>{what}</title>
      <path d={`M${x1} ${y1}L${x2} ${y2}`} />
      {fate === 'lost' ? (
        <path class="cross" d={`M${x2 - 4} ${y2 - 4}l8 8m0 -8l-8 8`} />
      ) : (
        fate === 'arrived' && <path d={head} />
      )}
    </g>
  );
}

interface AxisProps {
  readonly model: TraceModel;
  readonly side: number;
  readonly height: number;
}

/** Steps, the marks of difference and violation, the present, and a veil over the future. */
function Axis({ model, side, height }: AxisProps) {
  void growth.value;
  const count = columnsInView();
  const every = Math.max(1, Math.ceil(34 / columnWidth()));
  const start = Math.max(0, Math.floor(first.value));
  const columns = Array.from({ length: Math.ceil(count) + 1 }, (_, i) => start + i).filter(
    (column) => column < model.columns && column >= first.value - 0.4,
  );
  const violation = violations.value[side]?.violation?.step;
  const parted = difference.value;
  const x = xOf(columnNow());
  const veil = x + columnWidth() / 2;
  return (
    <>
      {veil < width.value && (
        <rect
          class="veil"
          x={Math.max(gutterWidth(), veil)}
          y={axisHeight}
          width={width.value}
          height={height}
        />
      )}
      {columns
        .filter((column) => column % every === 0 || column === violation || column === parted)
        .map((column) => (
          <text
            key={column}
            class={column === violation ? 'tick bad' : column === parted ? 'tick parted' : 'tick'}
            x={xOf(column)}
            y={14}
          >
            {column === violation ? '✗' : column === parted ? '◆' : ''}
            {column}
          </text>
        ))}
      {x >= gutterWidth() && <path class="present" d={`M${x} ${axisHeight - 3}V${height}`} />}
    </>
  );
}
