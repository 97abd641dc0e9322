/** A write on which somebody builds before it knows that it has landed is not written twice. */
import { describe, expect, test } from 'vitest';
import { deferred } from '../../src/deferred.ts';
import { AnswerLostError, ServerUnavailableError } from '../../src/errors.ts';
import type { MutableFile } from '../../src/mutable-file.ts';
import type { VersionName } from '../../src/version-name.ts';
import { altered, testGrid, withBytes } from '../support/client-grid.ts';

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const endOf = (work: Promise<unknown>) =>
  work.then(
    () => 'acknowledged',
    ({ code }) => code as string,
  );

interface Course {
  readonly format: 'sdmf' | 'mdmf';
  /** 1 of 3 shares on three servers, or 3 of 10 on ten. */
  readonly required?: 1 | 3;
  /** Whether the writer has looked since it wrote, so that it remembers nothing. */
  readonly hasLooked?: boolean;
  /** Whether the first answer is lost. */
  readonly isLost: boolean;
}

/**
 * A file holds `a`, `b`. The first k requests of `write` land; then another client adds its line to
 * what it finds, and only then is anything answered, and do the others come to their servers.
 */
async function builtOn(
  { format, required = 1, hasLooked = false, isLost }: Course,
  write: (file: MutableFile, version: VersionName) => Promise<unknown>,
) {
  const [count, happy] = required === 1 ? [3, 2] : [10, 7];
  const landed = deferred<void>();
  const course = { isOn: false, landed: 0, rival: Promise.resolve<unknown>(undefined) };
  const { grid, another, servers } = testGrid({
    count,
    encoding: { required, happy, total: count },
    wrap: (server, i) =>
      altered(server, {
        readTestWrite: async (index, request, options) => {
          const send = () => server.readTestWrite(index, request, options);
          if (request.shares.size === 0 || !course.isOn) return send();
          if (i >= required) {
            await landed.promise;
            await course.rival;
            return send();
          }
          const answer = await send();
          course.landed += 1;
          if (course.landed === required) {
            course.isOn = false;
            landed.resolve();
          }
          await landed.promise;
          await course.rival;
          if (isLost && i === 0) throw new AnswerLostError(server.id, 'connection lost');
          return answer;
        },
      }),
  });
  const file = await grid.create({ format, contents: 'a\n' });
  const { version } = await file.append('b\n');
  if (hasLooked) await file.modify(() => undefined);
  course.isOn = true;
  const rival = another({ servers }).open(file.writeCap);
  course.rival = landed.promise.then(() => rival.modify((old) => `${textOf(old)}theirs\n`));
  const end = await endOf(write(file, version));
  await course.rival;
  return [end, textOf(await another({ servers }).open(file.writeCap).read())];
}

const retry = { attempts: 3, backoffMs: 0 };
const formats = ['sdmf', 'mdmf'] as const;

describe.each([true, false])('with an answer lost: %s', (isLost) => {
  test('an append from memory is there once, and what was built on it stays', async () => {
    const append = (file: MutableFile) => file.append('mine\n');
    const once = ['acknowledged', 'a\nb\nmine\ntheirs\n'];
    expect(await builtOn({ format: 'mdmf', isLost }, append)).toEqual(once);
    expect(await builtOn({ format: 'mdmf', isLost, required: 3 }, append)).toEqual(once);
  });

  test.each(formats)('so is one that is tried again: %s', async (format) => {
    const append = (file: MutableFile) => file.append('mine\n', { retry });
    const course = { format, isLost, hasLooked: true };
    expect(await builtOn(course, append)).toEqual(['acknowledged', 'a\nb\nmine\ntheirs\n']);
  });

  test.each(formats)('an overwrite leaves what was made of it: %s', async (format) => {
    const overwrite = (file: MutableFile) => file.overwrite('mine\n');
    const ended = ['acknowledged', 'mine\ntheirs\n'];
    expect(await builtOn({ format, isLost }, overwrite)).toEqual(ended);
    const again = (file: MutableFile) => file.overwrite('mine\n', { retry });
    expect(await builtOn({ format, isLost, hasLooked: true }, again)).toEqual(ended);
  });

  test.each(formats)(
    'one with a base does not say that nothing was written: %s',
    async (format) => {
      const onBase = (file: MutableFile, base: VersionName) => file.overwrite('mine\n', { base });
      expect(await builtOn({ format, isLost }, onBase)).toEqual([
        ...['UncoordinatedWriteError', 'mine\ntheirs\n'],
      ]);
    },
  );

  test('a change in place leaves what was made of it', async () => {
    const update = (file: MutableFile) => file.update('A', 0);
    const ended = ['acknowledged', 'A\nb\ntheirs\n'];
    expect(await builtOn({ format: 'mdmf', isLost }, update)).toEqual(ended);
  });
});

test('what lands when its server has been read again is there once, too', async () => {
  let isCut = false;
  const late: (() => Promise<unknown>)[] = [];
  let looks = 0;
  const { grid, another } = testGrid({
    count: 3,
    encoding: { required: 1, happy: 2, total: 3 },
    wrap: (server, i) =>
      altered(server, {
        listShares: async (...call) => {
          // The first look is for the answer that was lost, the second one for the next map.
          if (i === 0 && late.length > 0 && ++looks === 2) {
            isCut = false;
            await late.pop()?.();
          }
          return server.listShares(...call);
        },
        readTestWrite: async (index, request, options) => {
          if (request.shares.size === 0 || !isCut) {
            return server.readTestWrite(index, request, options);
          }
          if (i > 0) throw new ServerUnavailableError(server.id, 'gone');
          const whole = await withBytes(request);
          late.push(() => server.readTestWrite(index, whole));
          throw new AnswerLostError(server.id, 'connection lost');
        },
      }),
  });
  const file = await grid.create({ format: 'mdmf', contents: 'a\n' });
  await file.append('b\n');
  isCut = true;
  await file.append('c\n');
  expect(textOf(await another().open(file.writeCap).read())).toBe('a\nb\nc\n');
});
