/**
 * @module time-lanes: the lanes of a real run: milliseconds to the right, operations and servers
 * below one another. Bars are states, thin ones storage calls; words are drawn last, so that no
 * arrow goes through them. Only what is in view and can be told apart is drawn.
 */
import { computed, signal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { endTime, isGoingOn } from '../live-clock.ts';
import { type DrawnBar, drawnBars, drawnCalls, type Frame, xIn } from '../model/lane-drawing.ts';
import { fitted, panned, ticksIn, timeWords, type View, zoomed } from '../model/lane-scale.ts';
import { gapWords } from '../model/operation-tree.ts';
import {
  axisHeight,
  isTelling,
  type LaneDeadline,
  type LaneRow,
  type TimeLanes as Lanes,
  nextDeadline,
  timeLanes,
} from '../model/time-lanes.ts';
import {
  filters,
  inLanes,
  lookAt,
  selected,
  selectOperation,
  timeMoves,
  timeNow,
  view,
  viewWidth,
} from '../recording-store.ts';
import { goTo, growth, recording } from '../store.ts';
import './gaps.css';

/** Of the lanes' names, in CSS pixels. */
const gutter = 118;
/** With more calls in view than these only those of a selected operation have arrows. */
const arrowsMax = 120;

const lanes = computed<Lanes | null>(() => {
  void growth.value;
  const { value } = recording;
  if (value === null) return null;
  return timeLanes(value.model, {
    ...{ operations: inLanes.value, isOne: selected.value !== null },
    ...{ server: filters.value.server, isLive: value.isLive },
  });
});

/** What `view` is, or all of what the lanes have. */
const shownView = computed<View>(() => {
  void growth.value;
  if (view.value !== null) return view.value;
  const [from, to] = extent();
  return fitted(from, to, viewWidth.value);
});

function extent(): readonly [number, number] {
  const { value: only } = selected;
  const from = only?.started.at ?? 0;
  if (only?.ended != null) return [from, only.ended.at];
  const { value: end } = endTime;
  const next = isGoingOn.value && lanes.value !== null ? nextDeadline(lanes.value, end) : null;
  return [from, next ?? end];
}

/** @param x from the left edge of the lanes, without their names; the moment looked at by default */
function zoomTime(factor: number, x?: number): void {
  const here = (timeNow.value - shownView.value.from) / shownView.value.perPixel;
  const isSeen = here >= 0 && here <= viewWidth.value;
  const fixed = x ?? (isSeen ? here : viewWidth.value / 2);
  view.value = zoomed(shownView.value, factor, fixed, extent()[1]);
}

/** @param share of what is in view */
function panTime(share: number): void {
  const [, end] = extent();
  view.value = panned(shownView.value, share * viewWidth.value, viewWidth.value, end);
}

export function TimeLanes() {
  const { title = '' } = recording.value ?? {};
  const holder = useRef<HTMLDivElement>(null);
  const scroll = useRef(signal({ top: 0, height: 250 })).current;
  useLayoutEffect(() => {
    const element = holder.current as HTMLElement;
    const observer = new ResizeObserver(([entry]) => {
      if (entry === undefined) return;
      viewWidth.value = Math.max(50, entry.contentRect.width - gutter);
      scroll.value = { ...scroll.value, height: entry.contentRect.height };
    });
    observer.observe(element);
    // Not passive: with Ctrl the page would be zoomed.
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => {
      observer.disconnect();
      element.removeEventListener('wheel', onWheel);
    };
  }, []);
  const { value: drawn } = lanes;
  if (drawn === null) return null;
  const { top, height } = scroll.value;
  const frame: Frame = {
    ...{ view: shownView.value, width: viewWidth.value + gutter, gutter },
    ...{ now: endTime.value, top, bottom: top + height },
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: no fieldset; it scrolls, so it takes the focus
    <div
      class="lanes timed"
      ref={holder}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls
      tabIndex={0}
      role="group"
      aria-label={`Lanes of ${title}, in milliseconds: ${drawn.rows.length} lanes. The operations are in the tree beside them.`}
      onScroll={({ currentTarget }) => {
        scroll.value = { ...scroll.value, top: currentTarget.scrollTop };
      }}
    >
      <svg width={frame.width} height={drawn.height} aria-hidden="true" onClick={pick}>
        <Ground rows={drawn.rows} frame={frame} />
        <Gaps frame={frame} height={drawn.height} />
        <Drawing drawn={drawn} frame={frame} />
        <TimeAxis frame={frame} height={drawn.height} />
      </svg>
    </div>
  );
}

function onWheel(event: WheelEvent): void {
  if (event.ctrlKey) {
    const { left } = (event.currentTarget as Element).getBoundingClientRect();
    zoomTime(Math.exp(-event.deltaY / 300), Math.max(0, event.clientX - left - gutter));
  } else if (event.shiftKey || event.deltaX !== 0) {
    panTime((event.deltaX || event.deltaY) / viewWidth.value);
  } else return;
  event.preventDefault();
}

/** To the record of what is under the pointer, or else to the last one before that time. */
function pick(event: MouseEvent): void {
  const { model } = recording.value ?? {};
  const { dataset } = (event.target as Element).closest<SVGElement>('[data-position]') ?? {};
  if (model === undefined) return;
  if (dataset?.operation !== undefined) {
    const track = model.tracks.get(dataset.actor ?? '') ?? null;
    if (dataset.isWhole === undefined || selected.value !== null) {
      lookAt(dataset.operation, Number(dataset.position), track);
    } else selectOperation(dataset.operation);
    return;
  }
  const { left, width } = (event.currentTarget as Element).getBoundingClientRect();
  // On a wall they are larger than their own pixels (talk.css).
  const x = ((event.clientX - left) * (viewWidth.value + gutter)) / width - gutter;
  if (x < 0) return;
  const time = shownView.value.from + x * shownView.value.perPixel;
  const { records } = model;
  let [low, high] = [0, records.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((records[middle]?.at ?? 0) <= time) low = middle + 1;
    else high = middle;
  }
  goTo(low - 1);
}

function Ground({ rows, frame }: { readonly rows: readonly LaneRow[]; readonly frame: Frame }) {
  const room = Math.floor((gutter - 12) / 6.9);
  return (
    <>
      {rows
        .filter(({ y, height }) => y + height >= frame.top && y <= frame.bottom)
        .map(({ key, name, title, kind, y, height }) => (
          <g key={key} class={`lane ${kind === 'operation' ? 'operation' : ''}`}>
            <title>{title}</title>
            <rect x={0} y={y} width={frame.width} height={height} />
            <text x={kind === 'chart' ? 16 : 8} y={y + 14}>
              {name.length > room ? `${name.slice(0, room - 1)}…` : name}
            </text>
          </g>
        ))}
    </>
  );
}

/** Where records are forgotten. Nearer ones are one to the eye. */
function Gaps({ frame, height }: { readonly frame: Frame; readonly height: number }) {
  const drawn: { x: number; end: number; records: number }[] = [];
  for (const { from, to, records } of recording.value?.model.gaps ?? []) {
    const [x, end] = [Math.max(gutter, xIn(frame, from)), Math.min(frame.width, xIn(frame, to))];
    if (end < gutter || x > frame.width) continue;
    const before = drawn.at(-1);
    if (before !== undefined && x < before.end + 3) {
      before.end = Math.max(before.end, end);
      before.records += records;
    } else drawn.push({ x, end: Math.max(end, x + 2), records });
  }
  return (
    <>
      {drawn.map(({ x, end, records }) => (
        <g key={x} class="gap">
          <title>{gapWords({ records })}</title>
          <rect x={x} y={axisHeight} width={end - x} height={height - axisHeight} />
          <text x={x + 4} y={height - 5}>
            {end - x > 190 ? gapWords({ records }) : end - x > 16 ? '⋯' : ''}
          </text>
        </g>
      ))}
    </>
  );
}

function Drawing({ drawn, frame }: { readonly drawn: Lanes; readonly frame: Frame }) {
  const bars = drawnBars(drawn.bars, frame);
  return (
    <>
      {bars.map(({ bar, x, width }) => (
        <g
          key={bar.key}
          class={`bar ${bar.tone} ${bar.to === null ? 'open' : ''}`}
          data-position={bar.position}
          data-operation={bar.operation}
          data-actor={bar.actor ?? undefined}
          data-is-whole={bar.actor === null ? '' : undefined}
        >
          <title>{bar.title}</title>
          <rect x={x} y={bar.y} width={width} height={bar.height - 1} rx={2} />
        </g>
      ))}
      <Calls drawn={drawn} frame={frame} />
      <Deadlines deadlines={drawn.deadlines} frame={frame} />
      {bars.map((it) => it.words !== '' && <Words key={it.bar.key} {...it} />)}
    </>
  );
}

function Words({ bar: { y, tone, height }, words, wordsX, isBeside }: DrawnBar) {
  return (
    <text class={`bar-words ${isBeside ? 'beside' : tone}`} x={wordsX} y={y + height / 2 + 3.5}>
      {words}
    </text>
  );
}

/** A storage call is a thin bar in its server's lane, with arrows from its operation and back. */
function Calls({ drawn, frame }: { readonly drawn: Lanes; readonly frame: Frame }) {
  const calls = drawnCalls(drawn.calls, frame);
  const hasArrows = selected.value !== null || calls.length <= arrowsMax;
  return (
    <>
      {calls.map(({ call, x, width }) => {
        const { key, fromY, y, to, fate, title, position, operation } = call;
        const end = x + width;
        const down = y > fromY ? 1 : -1;
        return (
          <g
            key={key}
            class={`call arrow ${fate}`}
            data-position={position}
            data-operation={operation}
          >
            <title>{title}</title>
            {hasArrows && x > frame.gutter && (
              <path d={`M${x} ${fromY}V${y}m-3 ${-down * 5}l3 ${down * 5}l3 ${-down * 5}`} />
            )}
            {hasArrows && to !== null && fate === 'answered' && (
              <path
                class="answer"
                d={`M${end} ${y}V${fromY}m-3 ${down * 5}l3 ${-down * 5}l3 ${down * 5}`}
              />
            )}
            <rect x={x} y={y} width={width} height={4} />
            {fate === 'lost' && <path class="cross" d={`M${end - 4} ${y - 2}l8 8m0 -8l-8 8`} />}
          </g>
        );
      })}
    </>
  );
}

interface DeadlinesProps {
  readonly deadlines: readonly LaneDeadline[];
  readonly frame: Frame;
}

function Deadlines({ deadlines, frame }: DeadlinesProps) {
  const { value: time } = timeNow;
  const right = frame.view.from + viewWidth.value * frame.view.perPixel;
  return (
    <>
      {deadlines
        .filter(
          (it) =>
            it.at >= frame.view.from &&
            it.at <= right &&
            it.y + it.height >= frame.top &&
            it.y <= frame.bottom &&
            isTelling(it, time),
        )
        .map((deadline) => {
          const { key, y, height, at, title } = deadline;
          const x = xIn(frame, at);
          return (
            <g key={key} class="deadline">
              <title>{title}</title>
              <path d={`M${x} ${y - 1}v${height}m-3 ${-height}h6m-6 ${height}h6`} />
            </g>
          );
        })}
    </>
  );
}

/** Milliseconds, the moment that is looked at, and a veil over what comes after it. */
function TimeAxis({ frame, height }: { readonly frame: Frame; readonly height: number }) {
  const x = xIn(frame, timeNow.value);
  const isSeen = x >= gutter - 1 && x <= frame.width;
  // Nothing comes after the end but words about it.
  const hasFuture = timeNow.value < Math.min(extent()[1], endTime.value) && x < frame.width;
  return (
    <>
      {hasFuture && (
        <rect
          class="veil"
          x={Math.max(gutter, x)}
          y={axisHeight}
          width={frame.width}
          height={height}
        />
      )}
      {ticksIn(frame.view, viewWidth.value, 84).map(({ at, words }) => (
        <g key={at} class="time-tick">
          <path d={`M${xIn(frame, at)} ${axisHeight - 4}V${height}`} />
          <text class="tick" x={xIn(frame, at)} y={12}>
            {words}
          </text>
        </g>
      ))}
      {isSeen && <path class="present" d={`M${x} ${axisHeight - 3}V${height}`} />}
    </>
  );
}

timeMoves.zoom = zoomTime;
timeMoves.pan = panTime;

/** Where in time one is, and what is in view: for those who do not use keys. */
export function TimeTools() {
  return (
    <div class="time-tools">
      <span class="count">{timeWords(Math.round(timeNow.value))}</span>
      <button type="button" class="small" title="Nearer (w)" onClick={() => zoomTime(1.5)}>
        <span class="hidden">Nearer</span>
        <span aria-hidden="true">+</span>
      </button>
      <button type="button" class="small" title="Farther (s)" onClick={() => zoomTime(1 / 1.5)}>
        <span class="hidden">Farther</span>
        <span aria-hidden="true">−</span>
      </button>
      <button
        type="button"
        class="small"
        disabled={view.value === null}
        onClick={() => {
          view.value = null;
        }}
      >
        All
      </button>
    </div>
  );
}
