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
  viewOf,
} from '../../machines/quorum.ts';
import { compareVersions, type Version } from '../../machines/servermap.ts';
import { goodAt, mapOf, versionOf } from '../support/facts.ts';

/** A version: its parent is any made before it, or nothing. */
interface Row {
  readonly parent: number;
  readonly skipped: number;
  readonly isNaming: boolean;
}

const histories: fc.Arbitrary<readonly Row[]> = fc.array(
  fc.record({ parent: fc.nat(20), skipped: fc.nat(2), isNaming: fc.boolean() }),
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
  for (const [i, { parent, skipped, isNaming }] of rows.entries()) {
    const base = made[(parent % (i + 1)) - 1]?.known ?? null;
    const seqnum = (base?.seqnum ?? 0) + 1 + skipped;
    const size = { required: 1, total: 5 };
    const letter = String.fromCharCode(97 + i);
    const known = versionOf(seqnum, letter, { ...size, parent: base });
    made.push({ known, shown: isNaming ? known : versionOf(seqnum, letter, size) });
  }
  return made;
}

/** Of each server: the versions that it holds; null: it is silent. */
const rows = fc.array(
  fc.option(fc.uniqueArray(fc.nat(20), { minLength: 0, maxLength: 2 }), { freq: 6 }),
  { minLength: 3, maxLength: 7 },
);

const worlds = fc.record({
  histories,
  rows,
  strangers: fc.nat(1),
  losable: fc.nat(1),
  base: fc.nat(20),
  won: fc.nat(127),
  isMade: fc.boolean(),
});

/** The same servers, as somebody sees them, and as somebody who knows every version. */
function mapsOf(made: readonly Made[], held: readonly (readonly number[] | null)[]) {
  const at = (n: number) => made[n % made.length] as Made;
  const holdings = held.flatMap((numbers, i) =>
    (numbers ?? []).map((n, shnum) => goodAt(`s${i}`, shnum, at(n).shown)),
  );
  const silent = held.flatMap((numbers, i) =>
    numbers === null ? [[`s${i}`, 'failed'] as const] : [],
  );
  const inSight = new Set(held.flatMap((numbers) => (numbers ?? []).map((n) => at(n).shown)));
  const mapFor = (versions: readonly Version[]): Mapped =>
    mapOf(held.length, holdings, [...versions], Object.fromEntries(silent));
  return { seen: mapFor([...inSight]), whole: mapFor(made.map(({ known }) => known)) };
}

function quorumFor({ length }: readonly unknown[], strangers: number, losable: number): Quorum {
  const servers = length + strangers;
  const size = Math.floor(servers / 2) + 1;
  return losable === 0 ? { servers, size } : { servers, size: size + 1, losable };
}

test('what may be overwritten', () => {
  let replaced = 0;
  fc.assert(
    fc.property(worlds, ({ histories: history, rows: held, base, won, isMade, ...more }) => {
      const made = madeFrom(history);
      const { seen, whole } = mapsOf(made, held);
      const quorum = quorumFor(held, more.strangers, more.losable);
      const [partial, full] = [viewOf(seen, quorum), viewOf(whole, quorum)];
      const known = Object.values(partial.versions);
      const chosen = known[base % known.length] ?? null;
      const servers = partial.servers.filter(({ held }, i) => held && (won & (1 << i)) !== 0);
      const version = isMade ? versionOf(40, 'n', { parent: chosen }) : null;
      const candidate = { version, won: new Set(servers.map(({ id }) => id)) };
      const truth = whole.versions[chosen?.id ?? ''] ?? null;
      for (const share of partial.servers.flatMap(({ held }) => held ?? [])) {
        if (!isReplaceable(partial, { ...candidateOn(partial, chosen), ...candidate }, share))
          continue;
        const isRight = isReplaceable(full, { ...candidateOn(full, truth), ...candidate }, share);
        expect(isRight).toBe(true);
        if (candidate.won.size === 0) replaced += 1;
      }
    }),
    { numRuns: 5000 },
  );
  expect(replaced).toBeGreaterThan(0);
});

test('what a reader may be given', () => {
  let given = 0;
  fc.assert(
    fc.property(worlds, ({ histories: history, rows: held, strangers, losable }) => {
      const { seen, whole } = mapsOf(madeFrom(history), held);
      const quorum = quorumFor(held, strangers, losable);
      const version = chooseForReader(seen, quorum);
      if (version === undefined) return;
      given += 1;
      const best = chooseForReader(whole, quorum);
      expect(best).toBeDefined();
      expect(compareVersions(best as Version, version)).toBeGreaterThanOrEqual(0);
    }),
    { numRuns: 5000 },
  );
  expect(given).toBeGreaterThan(0);
});
