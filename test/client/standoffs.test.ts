/**
 * Rivals any of which may be acknowledged, on three servers of which two make a quorum: what is
 * said of them by the error, while it waits, and to a reader.
 */
import { describe, expect, test } from 'vitest';
import { NewerVersionSeenError, ServerUnavailableError } from '../../src/errors.ts';
import type { GridOptions } from '../../src/grid.ts';
import type { Progress } from '../../src/index.ts';
import { listed, nameOf, nameText, standoffText } from '../../src/version-name.ts';
import {
  altered,
  bytesOf,
  holdings,
  putShare,
  shareOf,
  sharesMade,
  testGrid,
} from '../support/client-grid.ts';
import { readerOf } from '../support/shares.ts';

const encoding = { required: 1, happy: 2, total: 3 };
const contents = [bytesOf(100), bytesOf(100, 2)] as const;
const rivals = await Promise.all(
  contents.map((one) => sharesMade('mdmf', encoding, bytesOf(100, 3), one)),
);

/** One rival on s0, the other on s1; s2, if there is one, is silent until it is let to speak. */
async function standoff(count: number, options: Partial<GridOptions> = {}) {
  const silent = new Set(['s2']);
  const { servers, create, another } = testGrid({
    ...{ count, encoding, ...options },
    wrap: (server) =>
      altered(server, {
        listShares: async (...args) => {
          if (silent.has(server.id)) throw new ServerUnavailableError(server.id, 'gone');
          return server.listShares(...args);
        },
      }),
  });
  silent.clear();
  const { cap } = await create('mdmf');
  const held = holdings(servers, cap);
  const versions = [];
  for (const shares of rivals) {
    for (const { server, shnum } of held) await putShare(server, cap, shnum, shares[shnum]!);
    const [version] = Object.values((await another().open(cap).servermap()).versions);
    versions.push(version!);
  }
  for (const { server, shnum } of held) {
    const [first, second] = rivals as [readonly Uint8Array[], readonly Uint8Array[]];
    await putShare(server, cap, shnum, (server.id === 's0' ? first : second)[shnum]!);
  }
  silent.add('s2');
  // Newest first: of one seqnum, the greater root hash.
  const sorted = versions.sort((a, b) => (a.rootHash < b.rootHash ? 1 : -1));
  const facts = sorted.map(({ seqnum, rootHash, format, dataLength: size }) => ({
    ...{ seqnum, rootHash, format, required: 1, total: 3, size },
  }));
  const text = `versions ${sorted.map(nameText).join(' and ')} stand against each other, and any of them may have been acknowledged`;
  return { file: another().open(cap), silent, servers, names: sorted.map(nameOf), facts, text };
}

test('a write is refused by their names, with what to do', async () => {
  const { file, facts, text } = await standoff(3);
  const error = await file.overwrite(bytesOf(10)).catch((e) => e);
  const message =
    `${text}; s2 does not answer: wait until more servers answer, repair the file, or write over ` +
    'it by `force`';
  expect(error).toEqual(new NewerVersionSeenError(message, { rivals: facts, silent: ['s2'] }));
});

test('a server that nobody here knows may decide as well, and nobody is silent', async () => {
  const { file, facts, text } = await standoff(2, { gridSize: 3 });
  const error = await file.append(bytesOf(10)).catch((e) => e);
  const message = `${text}: try again, repair the file, or write over it by \`force\``;
  expect(error).toEqual(new NewerVersionSeenError(message, { rivals: facts, silent: [] }));
});

test('force goes on from the newest, and says from which', async () => {
  const { file, names } = await standoff(3);
  const outcome = await file.overwrite(bytesOf(10), { force: true });
  expect(outcome).toMatchObject({ seqnum: 3, base: names[0] });
});

test('modify tells what it waits for, and goes on when that is there', async () => {
  const { file, silent, names } = await standoff(3);
  const waits: Progress[] = [];
  const onProgress = (progress: Progress) => {
    if (progress.phase !== 'waiting') return;
    waits.push(progress);
    if (waits.length === 2) silent.clear();
  };
  const seen: Uint8Array[] = [];
  const change = (read: Uint8Array) => {
    seen.push(read);
    return bytesOf(10);
  };
  const outcome = await file.modify(change, { attempts: 4, backoffMs: 0, onProgress });
  const wait = {
    phase: 'waiting',
    attempts: 4,
    waitMs: 0,
    standoff: { rivals: names, silent: ['s2'] },
  };
  expect(waits).toMatchObject([
    { ...wait, attempt: 1 },
    { ...wait, attempt: 2 },
  ]);
  // s2 holds what s1 does: with it that one is on two servers.
  expect(seen).toEqual([contents[1]]);
  expect(outcome).toMatchObject({ seqnum: 3, missing: [] });
  expect(names).toContainEqual(outcome?.base);
});

test('modify that has waited in vain says why', async () => {
  const { file, facts } = await standoff(3);
  const error = await file.modify(() => bytesOf(10), { attempts: 2, backoffMs: 0 }).catch((e) => e);
  expect(error).toBeInstanceOf(NewerVersionSeenError);
  expect(error.facts).toEqual({ rivals: facts, silent: ['s2'] });
});

test('a reader is given the newest, and told what may be missed', async () => {
  const { file, silent } = await standoff(3);
  const told = async () => {
    const progress: Progress[] = [];
    const read = await file.read({ onProgress: (one) => void progress.push(one) });
    return { read, unconfirmed: progress.flatMap(({ unconfirmed }) => unconfirmed ?? []) };
  };
  const { read, unconfirmed } = await told();
  expect(contents).toContainEqual(read);
  expect(unconfirmed).toEqual([{ seqnum: 2, silent: ['s2'] }]);
  silent.clear();
  expect(await told()).toEqual({ read: contents[1], unconfirmed: [] });
});

test('a version alone that cannot be built on, for what else is there is not verified', async () => {
  const { file, servers, facts } = await standoff(3);
  const { cap } = file;
  const [mine] = holdings([servers[0]!], cap);
  const [bad] = holdings([servers[1]!], cap);
  const bytes = rivals[0]![bad!.shnum]!.slice();
  const { offset } = (await readerOf(bytes).reader.header()).layout.signature;
  bytes[offset + 8] = (bytes[offset + 8] as number) ^ 1;
  await putShare(servers[1]!, cap, bad!.shnum, bytes);
  expect(shareOf(mine!, cap)).toEqual(rivals[0]![mine!.shnum]);
  const error = await file.overwrite(bytesOf(10)).catch((e) => e);
  expect(error).toBeInstanceOf(NewerVersionSeenError);
  const only = facts.filter(({ rootHash }) => error.facts.rivals[0].rootHash === rootHash);
  expect(error.facts).toEqual({ rivals: only, silent: ['s2'] });
  expect(error.message).toBe(
    `version ${nameText(only[0]!)} may have been acknowledged, and cannot be built on; s2 does ` +
      'not answer: wait until more servers answer, repair the file, or write over it by `force`',
  );
});

describe('in words', () => {
  const version = (seqnum: number, digit: string) => ({ seqnum, rootHash: digit.repeat(64) });
  const [a, b, c] = [version(4, 'a'), version(3, 'b'), version(3, 'c')];
  const those = 'stand against each other, and any of them may have been acknowledged';

  test.each([
    [[a, b], [], `versions 4 (aaaaaaaa) and 3 (bbbbbbbb) ${those}`],
    [
      [a, b, c],
      ['s1'],
      `versions 4 (aaaaaaaa), 3 (bbbbbbbb) and 3 (cccccccc) ${those}; s1 does not answer`,
    ],
    [
      [a, b],
      ['s1', 's2'],
      `versions 4 (aaaaaaaa) and 3 (bbbbbbbb) ${those}; s1 and s2 do not answer`,
    ],
    [
      [a],
      ['s1', 's2', 's3', 's4', 's5', 's6'],
      'version 4 (aaaaaaaa) may have been acknowledged, and cannot be built on; s1, s2, s3 and 3 more do not answer',
    ],
  ])('%j while %j are silent', (versions, silent, text) => {
    expect(standoffText(versions, silent)).toBe(text);
  });

  test('lists have an end', () => {
    expect(listed([])).toBe('');
    expect(listed(['a', 'b', 'c', 'd'])).toBe('a, b, c and d');
    expect(listed(['a', 'b', 'c', 'd', 'e'])).toBe('a, b, c and 2 more');
  });
});
