import { expect, test } from 'vitest';
import { depths } from '../../bench/tahoe/far.ts';
import { elsewhere } from '../../bench/tahoe/moved.ts';
import { roundTrips } from '../../bench/tahoe/tap.ts';

test('depth is what the delay adds to the best time, in delays', () => {
  const near = { a: [90, 30, 20], b: [40, 41, 400] };
  const away = { a: [120, 125, 190], b: [240, 250, 900] };
  expect(depths(near, away, 50)).toEqual([2, 4]);
});

test('depth is never less than next to nothing', () => {
  expect(depths({ a: [20], b: [20] }, { a: [19], b: [70] }, 50)).toEqual([0.1, 1]);
});

test('a chain is of requests that began after the one before was answered', () => {
  const request = (begunAt: number, answeredAt: number) => ({ begunAt, answeredAt, bytes: 1 });
  expect(roundTrips([])).toBe(0);
  expect(roundTrips([request(0, 10), request(1, 12), request(5, 20)])).toBe(1);
  expect(roundTrips([request(13, 20), request(0, 10), request(1, 12), request(11, 15)])).toBe(2);
  expect(roundTrips([request(0, 1), request(1, 2), request(2, 3)])).toBe(3);
});

test('servers that are elsewhere have other ports, and all else is the same', () => {
  const text =
    '{"a": "pb://x@127.0.0.1:80/s#v=1", "b": "pb://y@127.0.0.1:81/t", "c": "127.0.0.1:82"}';
  expect(elsewhere(text, (port) => port + 1000)).toBe(
    '{"a": "pb://x@127.0.0.1:1080/s#v=1", "b": "pb://y@127.0.0.1:1081/t", "c": "127.0.0.1:82"}',
  );
});
