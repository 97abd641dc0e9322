/**
 * @module real-falsehoods: lies that only traces of real runs need, for worlds tell of the same
 * otherwise.
 */
import type { Falsehood } from './falsehoods.ts';

const begun = 'w1/writeFile/servermapUpdate/query:s4';

const told1500ms = [99_999 + 1500, 99_999].map((at) => ({
  where: { kind: 'step', actor: begun },
  added: { kind: 'advice', operation: 'w1', server: 's0', shnum: 0, reason: '', at },
}));

export const realFalsehoods: readonly Falsehood[] = [
  {
    ...{ id: 'U9', of: 'overwrite' },
    because: 'w1/writeFile/servermapUpdate/query:s0 has waited 101499 ms',
    lies: told1500ms,
  },
  {
    ...{ id: 'U12', of: 'overwrite', because: 'w1 goes on' },
    lies: [
      ...told1500ms,
      {
        where: { kind: 'actor', actor: begun },
        added: {
          ...{ kind: 'operation', operation: 'w1', event: 'cancelled', result: null },
          spec: { task: { kind: 'overwrite' } },
        },
      },
    ],
  },
  {
    ...{ id: 'Q8', of: 'overwrite', because: 'w1 replaces v9-00000000 by B in s0:0' },
    lies: [
      {
        where: { kind: 'actor', actor: 'w1/writeFile/publish' },
        set: { 'input.map.holdings.0.verdict.version': 'v9-00000000' },
      },
      {
        where: { kind: 'step', actor: 'w1/writeFile/publish/write:s0:0' },
        set: { 'context.tests.0.head': 'v9-00000000' },
      },
    ],
  },
  {
    ...{ id: 'M3', of: 'overwrite' },
    because: 'version 9 was named, and the publish ended as published',
    lies: [{ where: { kind: 'end', actor: 'w1/writeFile' }, set: { 'output.report.seqnum': 9 } }],
  },
  {
    ...{ id: 'M4', of: 'modifies', because: 'attempt 1 of 0' },
    // One attempt more than waits.
    lies: [
      {
        where: { kind: 'actor', actor: 'w1/writeFile' },
        set: { 'input.backoffsMs': { length: -1 } },
      },
    ],
  },
];
