import { expect, test } from 'vitest';
import type { Servermap } from '../../machines/servermap.ts';
import { formatCap, writeCapOf } from '../../src/caps.ts';
import { defaultEncoding } from '../../src/encoding.ts';
import { InsufficientCapError, ServerUnavailableError } from '../../src/errors.ts';
import {
  type ChkCap,
  formatImmutableCap,
  parseImmutableCap,
  toImmutableVerifyCap,
} from '../../src/immutable/caps.ts';
import { type ExamineSetting, type Examining, examine, verdictOf } from '../../src/walk/examine.ts';
import { metOf } from '../../src/walk/met.ts';
import { chkVectors } from '../support/chk.ts';
import { testKey } from '../support/client-grid.ts';
import { goodAt, serversOf, versionOf } from '../support/facts.ts';

const version = versionOf(1, 'a', { required: 1, total: 2 });
const servers = serversOf(2).map((id) => ({ id, status: 'good', failure: null }) as const);
const map: Servermap = {
  ...{ mode: 'check', outcome: 'enough', privateKey: 'unneeded', servers },
  ...{ holdings: [goodAt('s0', 0, version)], versions: { [version.id]: version } },
};
const lacking = { map, bad: [], stale: [], isHealthy: false };
const whole = { ...lacking, isHealthy: true };

const write = writeCapOf(testKey, 'sdmf');
const chk = parseImmutableCap(chkVectors.cases[0]!.cap) as ChkCap;
const mutable = { write: formatCap(write), verify: 'URI:SSK-Verifier:a:b' };
const immutable = {
  read: formatImmutableCap(chk),
  verify: formatImmutableCap(toImmutableVerifyCap(chk)),
};

/** An object that gives these answers, and what it was asked for. */
async function examined(
  isMutable: boolean,
  what: Examining,
  answers: Readonly<Record<string, () => object>>,
) {
  const asked: string[] = [];
  const methods = Object.entries(answers).map(([name, answer]) => [
    name,
    async () => {
      asked.push(name);
      return answer();
    },
  ]);
  const open = (cap: object) => ({ cap, ...Object.fromEntries(methods) });
  const setting = {
    encoding: defaultEncoding,
    open,
    openImmutable: open,
  } as unknown as ExamineSetting;
  const shown = { kind: 'file', mutable: isMutable, format: undefined, size: undefined } as const;
  const caps = isMutable ? mutable : immutable;
  const met = metOf({ ...shown, problem: undefined, isShadowed: false, caps }, ['x']);
  const { signal } = new AbortController();
  const examination = await examine(met, what, setting, { signal });
  return { asked, examination, verdict: verdictOf(met, examination) };
}

test('an immutable file is looked at, and a repair that is refused is a verdict', async () => {
  const answers = { check: () => whole, verify: () => lacking };
  const checked = await examined(false, {}, answers);
  expect([checked.asked, checked.examination.isHealthy]).toEqual([['check'], true]);
  const refusal = new InsufficientCapError('repairing', 'write', 'read');
  const verified = await examined(
    false,
    { verify: true, repair: true },
    {
      ...answers,
      repair: () => {
        throw refusal;
      },
    },
  );
  expect(verified.asked).toEqual(['verify', 'repair']);
  expect(verified.examination).toMatchObject({
    isHealthy: false,
    check: { 'storage-index': expect.stringMatching(/^[a-z2-7]{26}$/) },
    repair: { isAttempted: false, refusal },
  });
  expect(verified.verdict).toEqual({
    ...{ wasHealthy: false, isHealthy: false, corruptShares: [0, 0], repair: 'refused' },
  });
});

test('leases are renewed last, and whom nobody could ask is named', async () => {
  const renewal = { renewed: ['s0'], absent: ['s1'], failures: [] };
  const mapped = { servermap: () => map };
  const repaired = { after: map, isHealthy: true };
  const renewed = await examined(
    true,
    { addLease: true, repair: true },
    { ...mapped, repair: () => repaired, renewLeases: () => renewal },
  );
  expect(renewed.asked).toEqual(['servermap', 'repair', 'renewLeases']);
  expect(renewed.examination).toMatchObject({ isHealthy: true, leases: renewal, error: undefined });

  const failure = { kind: 'server', detail: 'server s0: hung up' };
  const some = { renewed: [], absent: ['s1'], failures: [{ server: 's0', failure }] };
  const part = await examined(true, { addLease: true }, { ...mapped, renewLeases: () => some });
  expect(part.examination).toMatchObject({ leases: some, error: undefined });
  expect(part.verdict).toEqual({
    ...{ wasHealthy: false, isHealthy: false, corruptShares: [0, 0], mayLapse: true },
  });
  const nobody = { renewed: [], absent: [], failures: [{ server: 's0', failure }] };
  const failed = await examined(true, { addLease: true }, { ...mapped, renewLeases: () => nobody });
  expect(failed.examination).toMatchObject({
    ...{ isHealthy: false, leases: nobody },
    error: new ServerUnavailableError('s0', 'hung up'),
  });
  expect(failed.verdict).toMatchObject({ isHealthy: false, isFailed: true });
});
