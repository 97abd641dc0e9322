/**
 * @module ahead: work on a sequence that is begun for the next few of it, and given out in order.
 */

/** Where the sequence ended. */
const end = Symbol('end');

/**
 * What `work` makes of each item of `source`, in its order. No more than `width` items are taken
 * that have not been given out. The first error, in that order, ends it.
 */
export async function* inOrder<T, R>(
  source: Iterable<T> | AsyncIterable<T>,
  width: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R, void, undefined> {
  const iterator =
    Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  // A generator that is asked again before it has answered takes one question after the other.
  const begin = async (): Promise<R | typeof end> => {
    const { done, value } = await iterator.next();
    return done ? end : work(value);
  };
  const begun: Promise<R | typeof end>[] = [];
  const fill = () => {
    while (begun.length < width) {
      const result = begin();
      // It is thrown when its turn comes, if that comes.
      result.catch(() => {});
      begun.push(result);
    }
  };
  try {
    for (;;) {
      fill();
      const result = await (begun.shift() as Promise<R | typeof end>);
      if (result === end) return;
      yield result;
    }
  } finally {
    // Not waited for: it comes behind what was asked already, which whoever stops this aborts.
    Promise.resolve(iterator.return?.()).catch(() => {});
  }
}
