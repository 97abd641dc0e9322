/** How a chart lies in its room. */
import { describe, expect, test } from 'vitest';
import {
  around,
  bringing,
  fitting,
  readable,
  scales,
  zoomed,
} from '../../visualizer/src/model/camera.ts';

const room = { width: 400, height: 300 };
const small = { width: 200, height: 100 };
const large = { width: 1400, height: 560 };

describe('the scale of a chart', () => {
  test('shows all of it, in both directions', () => {
    expect(fitting(small, room)).toBe(2);
    expect(fitting({ width: 100, height: 300 }, room)).toBe(1);
    expect(fitting(large, room)).toBeCloseTo(400 / 1400);
  });

  test('is never less than what can be read, and not much more', () => {
    expect(readable(large, room, 1)).toBe(1);
    expect(readable(small, room, 1)).toBe(1.6);
    expect(readable({ width: 320, height: 100 }, room, 1)).toBe(1.25);
    expect(readable(small, room, 2.4)).toBe(2.4);
  });

  test('can be read also where there is no room at all', () => {
    expect(readable(large, { width: 0, height: 0 }, 1)).toBe(1);
  });
});

describe('zooming', () => {
  const view = { scale: 1, left: 300, top: 100 };

  test('keeps the point under the mouse where it is', () => {
    const point = { x: 100, y: 50 };
    const after = zoomed(large, room, view, 2, point);
    expect(after).toEqual({ scale: 2, left: 700, top: 250 });
    expect(zoomed(large, room, after, 1, point)).toEqual(view);
  });

  test('keeps it too where the chart lies in the middle of more room than it needs', () => {
    const lying = { scale: 1, left: 0, top: 0 };
    // The right edge of the chart is at 300.
    expect(zoomed(small, room, lying, 3, { x: 300, y: 150 })).toEqual({
      ...{ scale: 3, left: 200, top: 0 },
    });
  });

  test('ends at the edges of the chart, and at the scales that there are', () => {
    const corner = { x: 0, y: 0 };
    expect(zoomed(large, room, { scale: 1, left: 0, top: 0 }, 0.25, corner)).toEqual({
      ...{ scale: 0.25, left: 0, top: 0 },
    });
    expect(zoomed(large, room, view, 100, corner).scale).toBe(scales.most);
    expect(zoomed(large, room, view, 0, corner).scale).toBe(scales.least);
  });
});

describe('bringing into view', () => {
  const box = (x: number, y: number) => ({ x, y, width: 100, height: 40 });
  const view = { scale: 1, left: 300, top: 100 };

  test('moves nothing that is in view', () => {
    expect(bringing(large, room, view, [box(320, 120)])).toEqual(view);
    expect(bringing(large, room, view, [])).toEqual(view);
  });

  test('puts in the middle what is out of view, one way at a time', () => {
    expect(bringing(large, room, view, [box(1000, 120)])).toEqual({ ...view, left: 850 });
    expect(bringing(large, room, view, [box(320, 10)])).toEqual({ ...view, top: 0 });
  });

  test('has the first box in view, and others as far as there is room', () => {
    const state = box(1000, 400);
    const { left, top } = bringing(large, room, view, [state, box(0, 0), box(850, 400)]);
    expect({ left, top }).toEqual({ left: 775, top: 260 });
  });

  test('shows the beginning of what is longer than the room', () => {
    const wide = { x: 500, y: 120, width: 600, height: 20 };
    expect(bringing(large, room, view, [wide]).left).toBe(484);
  });

  test('of a chart that fits scrolls nowhere', () => {
    const lying = { scale: 1, left: 0, top: 0 };
    expect(bringing(small, room, lying, [box(90, 50)])).toEqual(lying);
  });
});

test('a box around a line', () => {
  const line = [
    { x: 4, y: 9 },
    { x: 1, y: 10 },
    { x: 3, y: 2 },
  ];
  expect(around(line)).toEqual({ x: 1, y: 2, width: 3, height: 8 });
});
