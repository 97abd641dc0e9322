import { expect, test } from 'vitest';
import { Turns } from '../../src/turns.ts';

/** A piece of work that ends when told, and what has happened so far. */
function stage() {
  const log: string[] = [];
  const ends = new Map<string, () => void>();
  const work = (name: string) => () => {
    log.push(`${name} begins`);
    return new Promise<string>((resolve) => {
      ends.set(name, () => {
        log.push(`${name} ends`);
        resolve(name);
      });
    });
  };
  return { log, work, end: (name: string) => ends.get(name)?.() };
}

/** Long enough for everything that waits for nothing outside. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test('one at a time per key, in order; other keys do not wait', async () => {
  const turns = new Turns();
  const { log, work, end } = stage();
  const a = turns.run('x', undefined, work('a'));
  const b = turns.run('x', undefined, work('b'));
  void turns.run('y', undefined, work('c'));
  await settled();
  expect(log).toEqual(['a begins', 'c begins']);
  end('a');
  expect(await a).toBe('a');
  await settled();
  expect(log).toEqual(['a begins', 'c begins', 'a ends', 'b begins']);
  end('b');
  expect(await b).toBe('b');
});

test('work that fails ends its turn', async () => {
  const turns = new Turns();
  const failure = new Error('no');
  await expect(turns.run('x', undefined, () => Promise.reject(failure))).rejects.toBe(failure);
  expect(await turns.run('x', undefined, async () => 7)).toBe(7);
});

test('who gives up while waiting is skipped, and nobody overtakes', async () => {
  const turns = new Turns();
  const { log, work, end } = stage();
  const abort = new AbortController();
  void turns.run('x', undefined, work('a'));
  const b = turns.run('x', abort.signal, work('b'));
  await settled();
  const reason = new Error('bored');
  abort.abort(reason);
  await expect(b).rejects.toBe(reason);
  void turns.run('x', undefined, work('c'));
  await settled();
  expect(log).toEqual(['a begins']);
  end('a');
  await settled();
  expect(log).toEqual(['a begins', 'a ends', 'c begins']);
});

test('who has given up before never has a turn', async () => {
  const turns = new Turns();
  const { log, work } = stage();
  const reason = new Error('never');
  await expect(turns.run('x', AbortSignal.abort(reason), work('a'))).rejects.toBe(reason);
  expect(log).toEqual([]);
});
