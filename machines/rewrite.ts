/**
 * @module rewrite: which old bytes a write keeps, and what it makes the new version of.
 *
 * In place, only the segments that change are encoded, and what they keep of the old version is
 * read; else the whole file is. The old bytes around the new ones come first.
 */
import {
  bestVersion,
  type Hex,
  type Place,
  type Servermap,
  sharesOf,
  type Version,
} from './servermap.ts';

/** A run of bytes of the contents: `to` is one past the last. */
export interface Span {
  /** Of the first byte; counts from 0. */
  readonly from: number;
  /** `to - from` bytes in all. */
  readonly to: number;
}

/** What the new contents, or the rewritten run of segments, consist of, in order. */
export type Part =
  /** Bytes of the base, which have been read. */
  | ({ readonly kind: 'kept' } & Span)
  /** What the caller gave, or the modifier. */
  | { readonly kind: 'new' };

/** How to make the new version. */
export type Recipe =
  | {
      readonly kind: 'whole';
      readonly required: number;
      readonly total: number;
      readonly parts: readonly Part[];
    }
  | {
      readonly kind: 'inPlace';
      /** The id of the version that is changed. */
      readonly base: Hex;
      readonly firstSegment: number;
      readonly newDataLength: number;
      /** Of the segments from the first on. */
      readonly parts: readonly Part[];
    }
  | {
      /** The same version, byte for byte. */
      readonly kind: 'again';
      readonly version: Hex;
      /** Where good shares of it are. */
      readonly places: readonly Place[];
      readonly parts: readonly Part[];
    };

/** The version that every known share is of, if all N are there and none is anything else. */
export function uniformBase(map: Servermap): Version | undefined {
  const best = bestVersion(map);
  if (best === undefined || best.format !== 'mdmf') return undefined;
  const shares = sharesOf(map, best.id);
  if ([...shares.values()].flat().length < map.holdings.length) return undefined;
  return shares.size === best.total ? best : undefined;
}

/** `length` new bytes at `offset`, which is not beyond the end, in place. */
export function recipeInPlace(base: Version, offset: number, length: number): InPlaceRecipe {
  const { segmentSize, dataLength } = base;
  const end = offset + length;
  const newDataLength = Math.max(dataLength, end);
  const firstSegment = Math.floor(offset / segmentSize);
  const lastEnd = Math.min(Math.ceil(end / segmentSize) * segmentSize, newDataLength);
  const stop = Math.max(end, Math.min(lastEnd, dataLength));
  const parts = around({ from: firstSegment * segmentSize, to: offset }, { from: end, to: stop });
  return { kind: 'inPlace', base: base.id, firstSegment, newDataLength, parts };
}

/** What a change in place does to the segments of the base. */
export interface InPlace {
  /** The first that changes; counts from 0. */
  readonly firstSegment: number;
  /** Rewritten, or added. */
  readonly segmentCount: number;
  /** Bytes of the file. */
  readonly newDataLength: number;
}

/** The same of a recipe for new bytes up to `end`. */
export function inPlaceOf(base: Version, recipe: InPlaceRecipe, end: number): InPlace {
  const { firstSegment, newDataLength, parts } = recipe;
  const kept = parts.map((part) => (part.kind === 'kept' ? part.to : 0));
  const segmentCount = Math.ceil(Math.max(end, ...kept) / base.segmentSize) - firstSegment;
  return { firstSegment, segmentCount, newDataLength };
}

/** How a change in place is made. */
export type InPlaceRecipe = Extract<Recipe, { kind: 'inPlace' }>;

/** The same by writing the whole file. */
export function recipeWhole(base: Version, offset: number, length: number): Recipe {
  const { required, total, dataLength } = base;
  const rest = Math.min(dataLength, offset + length);
  const parts = around({ from: 0, to: offset }, { from: rest, to: dataLength });
  return { kind: 'whole', required, total, parts };
}

function around(before: Span, after: Span): readonly Part[] {
  const kept = (range: Span): readonly Part[] =>
    range.from < range.to ? [{ kind: 'kept', ...range }] : [];
  return [...kept(before), { kind: 'new' }, ...kept(after)];
}

/** What is to be read of all contents of a version: nothing when there is not a byte. */
export function wholeRange({ dataLength }: Version): readonly Span[] {
  return dataLength > 0 ? [{ from: 0, to: dataLength }] : [];
}

/** What new shares with the same contents are made of. */
export function keptOf(base: Version): readonly Part[] {
  return wholeRange(base).map((range) => ({ kind: 'kept', ...range }));
}

/** What has to be read for `parts`: what lies in one segment at both ends is read at once. */
export function rangesToRead({ segmentSize }: Version, parts: readonly Part[]): readonly Span[] {
  const ranges = parts.flatMap((part) =>
    part.kind === 'kept' ? [{ from: part.from, to: part.to }] : [],
  );
  if (ranges.length < 2) return ranges;
  const [first, second] = ranges as [Span, Span];
  const segmentOf = (byte: number) => Math.floor(byte / segmentSize);
  const isOneSegment = segmentOf(first.from) === segmentOf(second.to - 1);
  return isOneSegment ? [{ from: first.from, to: second.to }] : ranges;
}
