/**
 * What a writer or a reader may do that does not know which version was built on which, it may do
 * as well that knows all of it: of that one docs/publish.md has the proof.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  candidateOn,
  chooseForReader,
  isReplaceable,
  type Mapped,
  type Quorum,
  quorumOf,
  reachOf,
  viewOf,
} from '../../machines/quorum.ts';
import { compareVersions, type Version } from '../../machines/servermap.ts';
import { bad, goodAt, mapOf, versionOf } from '../support/facts.ts';

/** A version: its parent is any made before it, or nothing. */
interface Row {
  readonly parent: number;
  readonly skipped: number;
  /** Its parent; somebody that nobody has heard of; nobody at all. */
  readonly names: 'parent' | 'stranger' | 'nobody';
}

const histories: fc.Arbitrary<readonly Row[]> = fc.array(
  fc.record({
    parent: fc.nat(20),
    skipped: fc.nat(2),
    names: fc.constantFrom<Row['names'][]>('parent', 'parent', 'stranger', 'nobody'),
  }),
  { minLength: 1, maxLength: 9 },
);

interface Made {
  /** As a server shows it. */
  readonly shown: Version;
  /** With its parent. */
  readonly known: Version;
}

function madeFrom(rows: readonly Row[]): Made[] {
  const made: Made[] = [];
  for (const [i, { parent, skipped, names }] of rows.entries()) {
    const base = made[(parent % (i + 1)) - 1]?.known ?? null;
    const seqnum = (base?.seqnum ?? 0) + 1 + skipped;
    const size = { required: 1, total: 5 };
    const letter = String.fromCharCode(97 + i);
    const known = versionOf(seqnum, letter, { ...size, parent: base });
    const stranger = versionOf(seqnum, letter, size);
    const shown = { parent: known, stranger, nobody: { ...known, parentTag: null } }[names];
    made.push({ known, shown });
  }
  return made;
}

/** What a server holds: versions, by number; `bad` has a claim that is one's head. */
interface Place {
  readonly versions: readonly number[];
  readonly bad: number | null;
}

/** Null: it is silent. */
const places: fc.Arbitrary<readonly (Place | null)[]> = fc.array(
  fc.option(
    fc.record({
      versions: fc.uniqueArray(fc.nat(20), { minLength: 0, maxLength: 3 }),
      bad: fc.option(fc.nat(20), { freq: 1 }).map((n) => (n !== null && n < 3 ? n : null)),
    }),
    { freq: 6 },
  ),
  { minLength: 2, maxLength: 7 },
);

const worlds = fc.record({
  history: histories,
  held: places,
  strangers: fc.nat(2),
  losable: fc.nat(1),
  isMore: fc.boolean(),
  /** In sight, and on no server. */
  remembered: fc.uniqueArray(fc.nat(20), { maxLength: 2 }),
  /** What is built on: one in sight, or nothing. */
  base: fc.nat(20),
  won: fc.nat(127),
  /** What is written: not made yet, of this number, or the base again. */
  written: fc.oneof(
    fc.constantFrom('unmade' as const, 'again' as const),
    fc.integer({ min: 1, max: 12 }),
  ),
});
type World = typeof worlds extends fc.Arbitrary<infer T> ? T : never;

/** The same servers, as somebody sees them, and as somebody who knows every version. */
function viewsOf({ history, held, remembered, strangers, losable, isMore }: World) {
  const made = madeFrom(history);
  const at = (n: number) => made[n % made.length] as Made;
  const holdings = held.flatMap((place, i) => {
    const good = (place?.versions ?? []).map((n, shnum) => goodAt(`s${i}`, shnum, at(n).shown));
    if (place === null || place.bad === null) return good;
    return [...good, { server: `s${i}`, shnum: 90, verdict: bad(at(place.bad).shown.checkstring) }];
  });
  const silent = held.flatMap((place, i) => (place === null ? [[`s${i}`, 'failed'] as const] : []));
  const inSight = [...held.flatMap((place) => place?.versions ?? []), ...remembered];
  const mapFor = (versions: readonly Version[]): Mapped =>
    mapOf(held.length, holdings, [...new Set(versions)], Object.fromEntries(silent));
  const quorum = quorumFor(held.length + strangers, losable, isMore);
  const seen = mapFor(inSight.map((n) => at(n).shown));
  return { quorum, seen, whole: mapFor(made.map(({ known }) => known)) };
}

function quorumFor(servers: number, losable: number, isMore: boolean): Quorum {
  const happy = Math.floor(servers / 2) + 1 + (isMore ? 1 : 0) + losable;
  return quorumOf({ servers, happy, losable }, servers);
}

test('what may be overwritten', () => {
  let replaced = 0;
  const isRight = (world: World) => {
    const { quorum, seen, whole } = viewsOf(world);
    const [partial, full] = [viewOf(seen, quorum), viewOf(whole, quorum)];
    const known = [...Object.values(partial.versions), null];
    const chosen = known[world.base % known.length] ?? null;
    const truth = chosen && (whole.versions[chosen.id] ?? null);
    const servers = partial.servers.filter(({ held }, i) => held && (world.won & (1 << i)) !== 0);
    const won = new Set(servers.map(({ id }) => id));
    const { written } = world;
    const made = typeof written === 'number' ? versionOf(written, 'n', { parent: chosen }) : null;
    const candidateFor = (view: typeof partial, base: Version | null) => {
      return { ...candidateOn(view, base), version: written === 'again' ? base : made, won };
    };
    return partial.servers
      .flatMap(({ held }) => held ?? [])
      .every((share) => {
        if (!isReplaceable(partial, candidateFor(partial, chosen), share)) return true;
        replaced += 1;
        return isReplaceable(full, candidateFor(full, truth), share);
      });
  };
  fc.assert(fc.property(worlds, isRight), { numRuns: 8000 });
  expect(replaced).toBeGreaterThan(1000);
});

test('which servers a version may come to', () => {
  const isRight = (world: World) => {
    const { quorum, seen, whole } = viewsOf(world);
    const known = [...Object.values(seen.versions), null];
    const base = known[world.base % known.length] ?? null;
    const truth = base && (whole.versions[base.id] ?? null);
    const isAgain = world.written === 'again' && base !== null;
    const reached = reachOf(viewOf(seen, quorum), base, isAgain);
    const all = reachOf(viewOf(whole, quorum), truth, isAgain);
    return [...reached].every((server) => all.has(server));
  };
  fc.assert(fc.property(worlds, isRight), { numRuns: 4000 });
});

test('what a reader may be given', () => {
  let given = 0;
  const isRight = (world: World) => {
    const { quorum, seen, whole } = viewsOf(world);
    const version = chooseForReader(seen, quorum);
    if (version === undefined) return true;
    given += 1;
    const best = chooseForReader(whole, quorum);
    return best !== undefined && compareVersions(best, version) >= 0;
  };
  fc.assert(fc.property(worlds, isRight), { numRuns: 4000 });
  expect(given).toBeGreaterThan(300);
});
