/**
 * @module chart-stage: the room of a chart: how large the picture is in it, and which part of it is
 * in view. It scrolls as everything scrolls; what is looked at is brought into view whenever it
 * changes.
 */
import type { ComponentChildren, RefObject } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Picture } from '../charts.ts';
import type { Box, Point } from '../diagram/layout.ts';
import { bringing, fitting, readable, scales, type View, zoomed } from '../model/camera.ts';
import { leastScale } from '../talk.ts';
import { ExplanationOf } from './explanation.tsx';

interface Props {
  readonly picture: Picture | undefined;
  /** Where the picture goes; who has the reference marks what is active in it. */
  readonly drawing: RefObject<HTMLDivElement | null>;
  readonly label: string;
  /** To be in view, the most important first. */
  readonly boxes: readonly Box[];
  /** Changes whenever {@link boxes} do. */
  readonly moment: string;
  /** Beside the buttons, below the picture. */
  readonly children: ComponentChildren;
}

export function ChartStage({ picture, drawing, label, boxes, moment, children }: Props) {
  const stage = useRef<HTMLDivElement>(null);
  const [room, setRoom] = useState({ width: 0, height: 0 });
  /** Chosen by the reader; null: as the room and the least size of letters ask. */
  const [chosen, setChosen] = useState<number | null>(null);
  /** Where the picture is to be scrolled to, once it has its size. */
  const next = useRef<View | null>(null);
  const chart = picture?.placed ?? { width: 1, height: 1 };
  const scale = chosen ?? readable(chart, room, leastScale.value);

  useLayoutEffect(() => {
    const element = stage.current as HTMLElement;
    const observer = new ResizeObserver(() => setRoom(roomOf(element)));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    if (drawing.current !== null) drawing.current.innerHTML = picture?.svg ?? '';
  }, [picture, drawing]);
  useLayoutEffect(() => {
    const svg = drawing.current?.querySelector('svg');
    svg?.setAttribute('width', `${Math.floor(chart.width * scale)}`);
    svg?.setAttribute('height', `${Math.floor(chart.height * scale)}`);
  }, [picture, drawing, scale, chart.width, chart.height]);
  useLayoutEffect(() => {
    const element = stage.current as HTMLElement;
    if (next.current !== null) element.scrollTo({ ...next.current, behavior: 'instant' });
    next.current = null;
  }, [scale]);
  useLayoutEffect(() => {
    const element = stage.current as HTMLElement;
    const { left, top } = bringing(chart, roomOf(element), viewOf(element, scale), boxes);
    element.scrollTo({ left, top, behavior: 'instant' });
  }, [moment, picture, room.width, room.height, leastScale.value]);

  const zoomTo = (to: number, point?: Point) => {
    const element = stage.current as HTMLElement;
    const own = roomOf(element);
    const middle = { x: own.width / 2, y: own.height / 2 };
    const view = zoomed(chart, own, viewOf(element, scale), to, point ?? middle);
    next.current = view;
    setChosen(view.scale);
  };
  const asAtFirst = () => {
    const own = roomOf(stage.current as HTMLElement);
    const start = { scale: readable(chart, own, leastScale.value), left: 0, top: 0 };
    next.current = bringing(chart, own, start, boxes);
    setChosen(null);
  };
  const larger = () => zoomTo(scale * scales.step);
  const smaller = () => zoomTo(scale / scales.step);
  const all = () => zoomTo(fitting(chart, room));
  const doings: Readonly<Record<string, () => void>> = {
    ...{ '+': larger, '=': larger, '-': smaller, '0': asAtFirst, f: all },
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const { key, target, currentTarget, ctrlKey, metaKey, altKey, shiftKey } = event;
    if (ctrlKey || metaKey || altKey) return;
    const element = currentTarget as HTMLElement;
    const pan = shiftKey || target !== element ? undefined : pans[key];
    if (pan === undefined ? doings[key] === undefined : !canPan(element, pan)) return;
    event.preventDefault();
    event.stopPropagation();
    if (pan === undefined) doings[key]?.();
    else element.scrollBy({ left: pan.x * panStep, top: pan.y * panStep, behavior: 'instant' });
  };
  useLayoutEffect(() => {
    const element = stage.current as HTMLElement;
    // By hand: the page's own listeners of the wheel cannot keep the browser from zooming.
    const onWheel = (event: WheelEvent) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      const { left, top } = element.getBoundingClientRect();
      const point = { x: event.clientX - left, y: event.clientY - top };
      zoomTo(scale * scales.step ** (-event.deltaY / 100), point);
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => element.removeEventListener('wheel', onWheel);
  });

  return (
    <>
      {/* biome-ignore lint/a11y/useSemanticElements: no fieldset; it scrolls, so it takes the focus */}
      <div
        class="stage"
        ref={stage}
        role="group"
        aria-label={label}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls
        tabIndex={0}
        onKeyDown={onKeyDown}
        onPointerDown={drag}
      >
        <div class="drawing" ref={drawing} />
      </div>
      <ExplanationOf teller={drawing} />
      <div class="stage-foot">
        {children}
        <fieldset class="zoom">
          <legend class="hidden">Size of {label}</legend>
          <Zoom name="Smaller" keys="− in the chart" text="−" onClick={smaller} />
          <Zoom name="Larger" keys="+ in the chart" text="+" onClick={larger} />
          <Zoom name="Fit" keys="all of it; f in the chart" text="Fit" onClick={all} />
          <Zoom name="100 %" keys="letters of 11 pixels" text="100 %" onClick={() => zoomTo(1)} />
        </fieldset>
      </div>
    </>
  );
}

interface ZoomProps {
  readonly name: string;
  readonly keys: string;
  readonly text: string;
  readonly onClick: () => void;
}

function Zoom({ name, keys, text, onClick }: ZoomProps) {
  return (
    <button
      type="button"
      class="small"
      title={`${name}: ${keys}`}
      aria-label={name}
      onClick={onClick}
    >
      {text}
    </button>
  );
}

const panStep = 60;
const pans: Readonly<Record<string, Point>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};

/** Whether there is more in that direction, or on the other side: else the key is the page's. */
function canPan(element: HTMLElement, { x }: Point): boolean {
  const { scrollWidth, clientWidth, scrollHeight, clientHeight } = element;
  return x === 0 ? scrollHeight > clientHeight : scrollWidth > clientWidth;
}

/** Without its scroll bars, which come and go. */
function roomOf({ offsetWidth, offsetHeight }: HTMLElement) {
  return { width: offsetWidth - 2, height: offsetHeight - 2 };
}

function viewOf({ scrollLeft, scrollTop }: HTMLElement, scale: number): View {
  return { scale, left: scrollLeft, top: scrollTop };
}

/** The mouse takes the picture along; fingers scroll by themselves. */
function drag(down: PointerEvent): void {
  if (down.pointerType !== 'mouse' || down.button !== 0) return;
  const element = down.currentTarget as HTMLElement;
  const [left, top] = [element.scrollLeft + down.clientX, element.scrollTop + down.clientY];
  const onMove = ({ clientX, clientY }: PointerEvent) => {
    element.classList.add('dragged');
    element.scrollTo({ left: left - clientX, top: top - clientY, behavior: 'instant' });
  };
  const onUp = () => {
    element.classList.remove('dragged');
    removeEventListener('pointermove', onMove);
    removeEventListener('pointerup', onUp);
    removeEventListener('pointercancel', onUp);
  };
  addEventListener('pointermove', onMove);
  addEventListener('pointerup', onUp);
  addEventListener('pointercancel', onUp);
}
