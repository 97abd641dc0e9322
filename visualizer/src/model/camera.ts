/**
 * @module camera: how a chart lies in the room that it has: how large, and which part is in view.
 *
 * Lengths of the chart are those of its picture at scale 1, where its smallest letters have 11 CSS
 * pixels; offsets are those of a scrolling element, in CSS pixels. What is smaller than its room
 * lies in the middle of it.
 */
import type { Box, Point } from '../diagram/layout.ts';

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface View {
  readonly scale: number;
  readonly left: number;
  readonly top: number;
}

/** What may be chosen, and the factor of one step of it. */
export const scales = { least: 0.2, most: 6, step: 1.25 } as const;
/** So much larger than its least size a chart grows where there is room: words are no posters. */
const growth = 1.6;
/** What is brought into view keeps this from the edge where there is room, in CSS pixels. */
const margin = 16;

/** All of the chart, as large as the room allows. */
export function fitting(chart: Size, room: Size): number {
  return within(Math.min(room.width / chart.width, room.height / chart.height));
}

/** As {@link fitting}, but never smaller than `least`: then a part is out of view. */
export function readable(chart: Size, room: Size, least: number): number {
  return Math.max(least, Math.min(fitting(chart, room), least * growth));
}

/** The same point of the chart stays under `point` of the room (by the mouse, say). */
export function zoomed(chart: Size, room: Size, view: View, to: number, point: Point): View {
  const scale = within(to);
  const along = (size: number, extent: number, offset: number, at: number) => {
    const place = (offset + at - blank(size * view.scale, extent)) / view.scale;
    const wanted = place * scale + blank(size * scale, extent) - at;
    return clamp(wanted, 0, Math.max(0, size * scale - extent));
  };
  return {
    scale,
    left: along(chart.width, room.width, view.left, point.x),
    top: along(chart.height, room.height, view.top, point.y),
  };
}

/**
 * The view with as many of `boxes` in it as there is room for, the first ones first; the same view
 * when they are in it already.
 */
export function bringing(chart: Size, room: Size, view: View, boxes: readonly Box[]): View {
  const box = boxes.reduce<Box | undefined>((all, next) => {
    const both = all === undefined ? next : union(all, next);
    const holds = both.width * view.scale <= room.width && both.height * view.scale <= room.height;
    return all === undefined || holds ? both : all;
  }, undefined);
  if (box === undefined) return view;
  const along = (size: number, extent: number, offset: number, from: number, length: number) => {
    const most = Math.max(0, size * view.scale - extent);
    const [near, far] = [from * view.scale - margin, (from + length) * view.scale + margin];
    const isIn = near >= offset - margin && far <= offset + extent + margin;
    if (isIn) return clamp(offset, 0, most);
    // What is longer than the room shows where it begins.
    return clamp(length * view.scale > extent ? near : (near + far - extent) / 2, 0, most);
  };
  return {
    scale: view.scale,
    left: along(chart.width, room.width, view.left, box.x, box.width),
    top: along(chart.height, room.height, view.top, box.y, box.height),
  };
}

/** Around all points of a line. */
export function around(points: readonly Point[]): Box {
  const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  return { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y };
}

function union(a: Box, b: Box): Box {
  const corner = ({ x, y, width, height }: Box) => ({ x: x + width, y: y + height });
  return around([a, b, corner(a), corner(b)]);
}

function blank(size: number, extent: number): number {
  return Math.max(0, (extent - size) / 2);
}

function within(scale: number): number {
  return clamp(scale, scales.least, scales.most);
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
