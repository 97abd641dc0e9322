/** What a look at the shares of an immutable file finds: whole ones, damage, liars, silence, cheats. */
import { describe, expect, test } from 'vitest';
import { SimulatedClock } from 'xstate';
import { concatBytes, viewOf } from '../../src/bytes.ts';
import {
  BeyondLimitError,
  OutOfRangeError,
  ServerUnavailableError,
  UnrepairableFileError,
} from '../../src/errors.ts';
import { formatImmutableCap, litCapOf, toImmutableVerifyCap } from '../../src/immutable/caps.ts';
import { diskOf } from '../../src/storage/memory.ts';
import type { ReadableShares } from '../../src/storage/server.ts';
import { chkContents, encodeChk } from '../support/chk.ts';
import { passTime } from '../support/client-grid.ts';
import { immutableGrid } from '../support/immutable-grid.ts';

/** Five segments. */
const made = await encodeChk(chkContents(20_000), { segmentSizeMax: 4096 });

test('x', async () => {
  const { file, calls } = immutableGrid(made);
  const f = await file.check();
  console.log(f, calls);
  const g = await file.verify();
  console.log(g, calls.length);
  expect([f.isHealthy, g.isHealthy]).toEqual([true, true]);
});
