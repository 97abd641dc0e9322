import { expect, test } from 'vitest';
import { memoryIn, memoryOf, spentBy } from '../../bench/usage.ts';

test('memory is read in the words of Linux', () => {
  const status = 'Name:\tnode\nVmHWM:\t   1036 kB\nVmRSS:\t    512 kB\n';
  expect(memoryIn(status)).toEqual({ now: 512 * 1024, peak: 1036 * 1024 });
  expect(() => memoryIn('Name:\tnode\n')).toThrowError('no VmRSS in the status of a process');
});

test('this process has some, and no less at its peak', () => {
  const { now, peak } = memoryOf();
  expect(now).toBeGreaterThan(2 ** 20);
  expect(peak).toBeGreaterThanOrEqual(now);
});

test('what is spent is the work awaited', async () => {
  let isDone = false;
  const spent = await spentBy(async () => {
    await Promise.resolve();
    isDone = true;
  });
  expect(isDone).toBe(true);
  expect(Object.keys(spent)).toEqual(['wallMs', 'cpuMs']);
});
