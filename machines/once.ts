/**
 * @module once: a pure function that is asked several times in a row about the same record.
 *
 * Guards and actions of one microstep each ask their kernel what is next, and books never change:
 * what was said of a record holds. Only the last answer is kept, so that nothing piles up where
 * the kernels are explored.
 */

/** `decide`, which decides once for as long as it is asked about the same record. */
export function oncePer<Books extends object, Decision>(
  decide: (record: Books) => Decision,
): (record: Books) => Decision {
  let last: { readonly record: Books; readonly decision: Decision } | undefined;
  return (record) => {
    if (last?.record !== record) last = { record, decision: decide(record) };
    return last.decision;
  };
}
