/**
 * @module quorum-tokens: what makes a writer what it is, in whole numbers: those below 0 stand for versions.
 */
import type { PublishRecord } from '../../machines/publish-kernel.ts';
import { type Mark, none, type Tokens, type Writer } from './quorum-parts.ts';

/** What is asked of what versions and rows are called. */
interface Cast {
  row(id: number): readonly Mark[];
  /** The version whose shares begin with `head`, by what the writer of `own` knows. */
  markOfHead(record: PublishRecord, own: Mark, head: string): Mark;
}

const tokenOf = (mark: Mark) => -1 - mark;
export const markOfToken = (token: number): Mark => -1 - token;

/** The versions among tokens. */
export function marksIn(tokens: readonly number[]): readonly Mark[] {
  return tokens.filter((token) => token < 0).map(markOfToken);
}

export function tokensOf(writer: Writer, cast: Cast): Tokens {
  const { role, attempt, phase, heard, passed, isWarm, acked, record } = writer;
  const roles = { writer: 0, nameless: 1, reader: 2, repairer: 3 };
  // A repair in the same version, or in a new one.
  const isOdd = isWarm || record?.asksOnce === true || record?.isAgain === true;
  const who = [roles[role], attempt, Number(isOdd)];
  const nothing = { versions: [], past: [] };
  if (phase === 'ended') return { ...nothing, globals: [9], locals: heard.map(() => []) };
  if (phase === 'writing') return { ...nothing, ...booksOf(writer, who, cast) };
  const past = passed.map((all) =>
    all.map((one) => [tokenOf(one.acked), ...rowTokens(one.row, cast)]),
  );
  const locals = heard.map((row) => rowTokens(row, cast));
  return { globals: [...who, acked === none ? 0 : tokenOf(acked)], versions: [], locals, past };
}

function booksOf({ mark, record, pending }: Writer, who: readonly number[], cast: Cast) {
  const { targets, versions, isBaseSpare, surprises } = record as PublishRecord;
  const head = (text: string) => cast.markOfHead(record as PublishRecord, mark, text);
  const locals = targets.map((target, at) => {
    const { status, isHeard, held, shnums, placed, attempt: tried } = target;
    const bits = (numbers: readonly number[]) => numbers.reduce((sum, n) => sum | (1 << n), 0);
    const shares = held.flatMap(({ shnum, head: text, share }) => [
      shnum * 2 + Number(share.kind === 'bad'),
      tokenOf(head(text)),
    ]);
    const found = pending[at] as number;
    return [
      { open: 0, writing: 1, closed: 2 }[status] * 2 + Number(isHeard),
      ...[tried, bits(shnums), bits(placed), held.length],
      ...shares,
      ...(found < 0 ? [-found] : [0, ...rowTokens(found, cast)]),
    ];
  });
  const others = Object.values(versions).map((version) => head(version.checkstring));
  const globals = [...who, 7, Number(isBaseSpare), Number(surprises.length > 0), tokenOf(mark)];
  return { globals, versions: others.sort((a, b) => a - b), locals };
}

function rowTokens(id: number, cast: Cast): readonly number[] {
  if (id === none) return [];
  return cast.row(id).map((mark) => (mark === none ? 0 : tokenOf(mark)));
}
