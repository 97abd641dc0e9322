/**
 * @module figure: one result, in the same words for every benchmark: ours, what it is held against,
 * and how much better we are than that.
 */
import { table } from '../src/cli/plain-text.ts';
import { median, type Pairs, ratioInterval } from './statistics.ts';

export interface Figure {
  readonly figure: string;
  readonly ours: number;
  /** null: there is nothing here to hold it against (no zfec on this machine, say). */
  readonly anchor: number | null;
  /** Above 1: we are better. Against a bound that nobody can beat, the share of it that we reach. */
  readonly ratio: number | null;
  readonly unit: string;
}

/** A figure with what the table says of it besides. */
export interface Row extends Figure {
  /** What the anchor is. */
  readonly against: string;
  /** Where 95 % of the ratios lie. */
  readonly interval?: readonly [number, number] | undefined;
}

interface Naming {
  readonly unit: string;
  readonly against: string;
}

/** Of what had better be small: time, memory, requests. */
export function cost(figure: string, ours: number, anchor: number | null, naming: Naming): Row {
  return rowOf(figure, ours, anchor, anchor === null ? null : anchor / ours, naming);
}

/** Of what had better be large: bytes in a second. */
export function rate(figure: string, ours: number, anchor: number | null, naming: Naming): Row {
  return rowOf(figure, ours, anchor, anchor === null ? null : ours / anchor, naming);
}

/** Of a cost that was measured in pairs, `a` being ours. */
export function costInPairs(figure: string, pairs: Pairs<number>, naming: Naming): Row {
  const row = cost(figure, median(pairs.a), median(pairs.b), naming);
  return { ...row, interval: ratioInterval(pairs) };
}

function rowOf(
  figure: string,
  ours: number,
  anchor: number | null,
  ratio: number | null,
  { unit, against }: Naming,
): Row {
  const isSound = [ours, anchor ?? 0, ratio ?? 0].every(Number.isFinite);
  if (!isSound) throw new Error(`${figure}: ${ours} against ${anchor} is no figure`);
  return { figure, ours, anchor, ratio, unit, against };
}

/** The figures alone, for programs. */
export function toJson(rows: readonly Row[]): string {
  const figures = rows.map(({ figure, ours, anchor, ratio, unit }): Figure => {
    const short = (value: number | null) => (value === null ? null : Number(value.toPrecision(4)));
    return {
      figure,
      ours: short(ours) as number,
      anchor: short(anchor),
      ratio: short(ratio),
      unit,
    };
  });
  return JSON.stringify(figures, null, 2);
}

/** For people. */
export function toTable(rows: readonly Row[]): string {
  const cells = rows.map(({ figure, ours, anchor, ratio, unit, against, interval }) => [
    figure,
    short(ours),
    anchor === null ? '' : short(anchor),
    unit,
    ratio === null ? '' : `${short(ratio)}x`,
    interval === undefined ? '' : `${short(interval[0])}-${short(interval[1])}`,
    against,
  ]);
  return table([['figure', 'ours', 'anchor', 'unit', 'ratio', '95 %', 'anchor is'], ...cells], '');
}

/** Three digits at most, but whole numbers whole. */
export function short(value: number): string {
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
