/**
 * @module stats: how much there is in a tree, counted as Tahoe's `t=start-deep-stats` counts it, with
 * its names of fields.
 */
import type { Met } from './met.ts';

/** Tahoe's fields, in its order. Sizes are bytes; those of mutable files are not known. */
export interface DeepStats {
  readonly 'api-version': 1;
  /** But for literals. */
  readonly 'count-immutable-files': number;
  /** SDMF and MDMF. */
  readonly 'count-mutable-files': number;
  /** Files that are in their caps. */
  readonly 'count-literal-files': number;
  /** All of these three. */
  readonly 'count-files': number;
  /** Of all kinds. */
  readonly 'count-directories': number;
  /** Of a kind that this library does not know. */
  readonly 'count-unknown': number;
  /** Bytes, of all together. */
  readonly 'size-immutable-files': number;
  /** Bytes, of all together. */
  readonly 'size-literal-files': number;
  /** Of their tables. */
  readonly 'size-directories': number;
  /** Bytes of its table. */
  readonly 'largest-directory': number;
  /** The most entries in one. */
  readonly 'largest-directory-children': number;
  /** Bytes. */
  readonly 'largest-immutable-file': number;
  /** Of immutable files: how many have a size from the first to the second number, both included. */
  readonly 'size-files-histogram': readonly (readonly [min: number, max: number, count: number])[];
}

/** What is counted of an object. */
export type Counted = Pick<Met, 'kind'> &
  Partial<Pick<Met, 'mutable' | 'format' | 'size' | 'extent'>>;

/** Counts; entries that lead nowhere are not objects. */
export class StatsCounter {
  readonly #counts = { immutable: 0, mutable: 0, literal: 0, directories: 0, unknown: 0 };
  readonly #sizes = { immutable: 0, literal: 0, directories: 0 };
  readonly #largest = { immutable: 0, directory: 0, children: 0 };
  /** By the number of the bucket. */
  readonly #histogram = new Map<number, number>();

  /** Counts one object. */
  add({ kind, mutable, format, size, extent }: Counted): void {
    const largest = this.#largest;
    if (kind === 'unknown') this.#counts.unknown++;
    if (kind === 'directory') {
      const { size: bytes, children } = extent ?? { size: 0, children: 0 };
      this.#counts.directories++;
      this.#sizes.directories += bytes;
      largest.directory = Math.max(largest.directory, bytes);
      largest.children = Math.max(largest.children, children);
    }
    if (kind !== 'file') return;
    if (mutable !== false) {
      this.#counts.mutable++;
      return;
    }
    const bytes = size ?? 0;
    const sort = format === 'lit' ? 'literal' : 'immutable';
    this.#counts[sort]++;
    this.#sizes[sort] += bytes;
    if (sort === 'immutable') largest.immutable = Math.max(largest.immutable, bytes);
    const bucket = bucketOf(bytes);
    this.#histogram.set(bucket, (this.#histogram.get(bucket) ?? 0) + 1);
  }

  /** What was counted so far. */
  get stats(): DeepStats {
    const [counts, sizes, largest] = [this.#counts, this.#sizes, this.#largest];
    const buckets = [...this.#histogram].sort(([a], [b]) => a - b);
    return {
      'api-version': 1,
      'count-immutable-files': counts.immutable,
      'count-mutable-files': counts.mutable,
      'count-literal-files': counts.literal,
      'count-files': counts.immutable + counts.mutable + counts.literal,
      'count-directories': counts.directories,
      'count-unknown': counts.unknown,
      'size-immutable-files': sizes.immutable,
      'size-literal-files': sizes.literal,
      'size-directories': sizes.directories,
      'largest-directory': largest.directory,
      'largest-directory-children': largest.children,
      'largest-immutable-file': largest.immutable,
      'size-files-histogram': buckets.map(([bucket, count]) => [
        bucket === 0 ? 0 : endOf(bucket - 1) + 1,
        endOf(bucket),
        count,
      ]),
    };
  }
}

/** Buckets end at the powers of the root of 10: 0, 3, 10, 31, 100, 316, … */
function endOf(bucket: number): number {
  return bucket === 0 ? 0 : Math.floor(Math.sqrt(10 ** bucket));
}

function bucketOf(size: number): number {
  let bucket = 0;
  while (endOf(bucket) < size) bucket++;
  return bucket;
}
