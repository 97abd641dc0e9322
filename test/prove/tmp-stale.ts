import { exploreQuorum } from './quorum-explore.ts';
import { modelOf } from './quorum-model.ts';
import { lean } from './quorum-plan.ts';

const [s, k, w, writers, attempts, stale, parents] = process.argv.slice(2);
const size = {
  servers: Number(s),
  required: Number(k),
  size: Number(w),
  writers: Number(writers),
  attempts: Number(attempts),
};
const begun = Date.now();
const found = exploreQuorum(
  modelOf(size, { ...lean, stale: Number(stale), parents: (parents ?? 'all') as 'all' }),
  { limit: 60_000_000, seconds: 2400 },
);
console.log(
  JSON.stringify({
    size,
    stale,
    parents,
    states: found.states,
    ended: found.ended,
    violations: found.violations,
    traces: found.traces,
    s: (Date.now() - begun) / 1000,
  }),
);
