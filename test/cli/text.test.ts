import { Writable } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { newBar } from '../../src/cli/bar.ts';
import { counted, inRuns, oneLine, table } from '../../src/cli/plain-text.ts';
import { isDrawnOn, ProgressBar } from '../../src/cli/progress.ts';
import { redacted } from '../../src/redacted.ts';

const key = 'a'.repeat(26);
const fingerprint = 'b'.repeat(52);

test('a cap is cut short wherever it stands, whole or not', () => {
  expect(redacted(`get 'URI:MDMF:${key}:${fingerprint}' x`)).toBe("get 'URI:…' x");
  expect(redacted(`URI:DIR2:${key}`)).toBe('URI:…');
  expect(redacted(`ro.URI:SSK-RO:${key}:${fingerprint}:3:131073 y`)).toBe('ro.URI:… y');
  expect(redacted(`@${key}:${fingerprint}`)).toBe('@URI:…');
  expect(redacted('malformed cap: prefix: does not begin with "URI:"')).toBe(
    'malformed cap: prefix: does not begin with "URI:"',
  );
  expect(redacted(`server v0-${fingerprint}: no answer`)).toBe(
    `server v0-${fingerprint}: no answer`,
  );
});

test('text that others chose is printed as one line, without what a terminal would obey', () => {
  expect(oneLine(' evil\u001b[2J\nname\u0007\u009b ')).toBe('evil\\x1b[2J name\\x07\\x9b');
  expect(oneLine('Bücherwurm')).toBe('Bücherwurm');
  expect(oneLine('s0\u202e1s\u200b \ufeff')).toBe('s0\\u{202e}1s\\u{200b}');
});

test('counts and numbers read as people say them', () => {
  expect([0, 1, 2].map((count) => counted(count, 'share'))).toEqual([
    '0 shares',
    '1 share',
    '2 shares',
  ]);
  expect(inRuns([])).toBe('');
  expect(inRuns([9, 0, 1, 2, 5, 8])).toBe('0-2, 5, 8-9');
});

test('a table has straight columns and no trailing blanks', () => {
  expect(
    table([
      ['a', 'bb'],
      ['ccc', ''],
      ['', 'd'],
    ]),
  ).toBe('  a    bb\n  ccc\n       d');
});

class Terminal extends Writable {
  readonly columns = 80;
  readonly isTTY: boolean;
  text = '';

  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
  }

  override _write(piece: Buffer, _encoding: string, done: () => void): void {
    this.text += piece.toString();
    done();
  }
}

/** Shows an operation that takes a second. */
function shown(isTTY: boolean, takesMs: number): string {
  const stream = new Terminal(isTTY) as Terminal & NodeJS.WriteStream;
  const bar = new ProgressBar(stream, [], isDrawnOn(stream) ? newBar : undefined);
  bar.show({ phase: 'mapping', done: 1, total: 13 });
  vi.advanceTimersByTime(takesMs);
  bar.show({ phase: 'reading', done: 50, total: 100 });
  bar.show({ phase: 'writing', done: 11, total: 10 });
  bar.stop();
  return stream.text;
}

beforeEach(() => {
  vi.stubEnv('TERM', 'xterm');
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

test('a dumb terminal, which cannot move its cursor, is shown none', () => {
  vi.stubEnv('TERM', 'dumb');
  expect(shown(true, 1000)).toBe('');
});

test('a wait for another writer is said in words, and so is what nobody knows yet', () => {
  const stream = new Terminal(true);
  const servers = [{ id: 'v0-abcdefghij', nickname: 'home' }];
  const bar = new ProgressBar(stream as unknown as NodeJS.WriteStream, servers, newBar);
  vi.advanceTimersByTime(1000);
  const wait = { phase: 'waiting', done: 5, total: 9, attempt: 2, attempts: 8, waitMs: 3200 };
  bar.show(wait);
  expect(stream.text).toBe('attempt 2 of 8 has met another writer; waiting 4 seconds\n');
  const silent = ['v0-abcdefghij', 's1'];
  const rivals = ['a', 'b'].map((digit) => ({ seqnum: 3, rootHash: digit.repeat(64) }));
  stream.text = '';
  bar.show({ ...wait, standoff: { rivals, silent } });
  expect(stream.text).toBe(
    'attempt 2 of 8 has met another writer; versions 3 (aaaaaaaa) and 3 (bbbbbbbb) stand against ' +
      'each other, and any of them may have been acknowledged; home [abcdefgh] and s1 do not ' +
      'answer; waiting 4 seconds\n',
  );
  stream.text = '';
  const read = { phase: 'reading', done: 0, total: 1 };
  bar.show({ ...read, unconfirmed: { seqnum: 3, silent } });
  bar.show({ ...read, unconfirmed: { seqnum: 4, silent: [] } });
  expect(stream.text).toBe(
    'version 3 may not be the newest that was acknowledged; no answer from home [abcdefgh] and ' +
      's1\nversion 4 may not be the newest that was acknowledged\n',
  );
  bar.show({ phase: 'dreaming', done: 1, total: 2 });
  bar.stop();
  expect(stream.text).toContain('dreaming [===============---------------] 50%');
});

test('what is copied first, as long as it may be, is told by its bytes', () => {
  const stream = new Terminal(true);
  const bar = new ProgressBar(stream as unknown as NodeJS.WriteStream, [], newBar);
  vi.advanceTimersByTime(1000);
  bar.show({ phase: 'spooling', done: 1_250_000, total: undefined });
  vi.advanceTimersByTime(1000);
  bar.show({ phase: 'spooling', done: 12_000_000, total: undefined });
  bar.stop();
  expect(stream.text).toContain('spooling 1.3 MB');
  expect(stream.text).toContain('spooling 12 MB');
  expect(stream.text).not.toContain('%');
});

test('progress is shown on a terminal, phase by phase, and never of what is quick', () => {
  const text = shown(true, 1000);
  expect(text).toContain('reading  [===============---------------] 50%');
  expect(text).toContain('writing  [==============================] 100%');
  expect(text).not.toContain('mapping');
  expect(shown(true, 300)).toBe('');
  expect(shown(false, 1000)).toBe('');
});
