/**
 * What strangers, editors and broken disks can put where a grid, a server or a file is described:
 * typed errors only, no secret in them, and little time and memory for each.
 *
 * A failing run prints its seed; `FUZZ_SEED=<seed>` plays it again.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { toBase32, utf8 } from '../../src/bytes.ts';
import { parseCap } from '../../src/caps.ts';
import { decodeText } from '../../src/decode-text.ts';
import { loadGridFile } from '../../src/description/grid-file.ts';
import { readNodeConfig } from '../../src/description/tahoe-cfg.ts';
import { TahoeMutableError } from '../../src/errors.ts';
import { parseNurl } from '../../src/storage/nurl.ts';

const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31);
/** A fifth of them in `npm test`; `npm run hostile` has all. */
const inputs = Number(process.env.INPUTS ?? 4000);
const part = inputs / 20_000;
const some = (of20000: number) => Math.round(of20000 * part);
/** How many at least must be taken, and refused: with fewer inputs chance has more to say. */
const least = (of20000: number) => (part < 1 ? (of20000 * part) / 2 : of20000);
/** For one input: time of the processor, since the machine does other things too. */
const BUDGET = { ms: 2000, bytes: 256 * 2 ** 20 };
/** An input that takes long takes long each time; a machine that is busy does not. */
const tries = 5;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tahoe-mutable-fuzz-'));
});
afterAll(() => rm(folder, { recursive: true }));

const SECRET = 'xn6s5s4v4yoknwze5nioz7zvhzbijrja';
const WRITEKEY = toBase32(utf8('sixteen bytes...'));
const FINGERPRINT = toBase32(new Uint8Array(32).fill(9));
const SECRETS = [SECRET, WRITEKEY, FINGERPRINT];
const HASH = '37tiX1u7I0wlTAoJpAQvvQ_628TDVXIyttpm5OjIjDg';
const NURL = `pb://${HASH}@127.0.0.1:41000/${SECRET}#v=1`;
const FURL = `pb://47hc3gorp32vze3f7kxc7borddbkzhno@tcp:127.0.0.1:41000/${SECRET}`;

/** What is done with an input that is fine, and how often inputs were refused and taken. */
interface Tally {
  taken: number;
  refused: number;
}

/**
 * Runs `work` on one input within the budget; it may refuse it, by a typed error without secrets.
 */
async function judge(tally: Tally, work: () => unknown, secrets = SECRETS): Promise<void> {
  for (let left = tries; left > 0; left--) {
    const { rss } = process.memoryUsage();
    const start = process.cpuUsage();
    const error = await errorOf(work);
    const { user, system } = process.cpuUsage(start);
    const used = { ms: (user + system) / 1000, bytes: process.memoryUsage().rss - rss };
    if (used.ms > BUDGET.ms || used.bytes > BUDGET.bytes) {
      if (left > 1) continue;
      throw new Error(`${Math.round(used.ms)} ms, ${used.bytes} bytes`);
    }
    if (error === null) tally.taken++;
    else tally.refused++;
    const shown = [error?.message, error?.stack, JSON.stringify(error?.facts)].join('\n');
    for (const secret of secrets) if (shown.includes(secret)) throw new Error('a secret is shown');
    return;
  }
}

async function errorOf(work: () => unknown): Promise<TahoeMutableError | null> {
  try {
    await work();
    return null;
  } catch (error) {
    if (!(error instanceof TahoeMutableError)) throw error;
    return error;
  }
}

async function check(numRuns: number, property: fc.IAsyncProperty<[never]>): Promise<void> {
  await fc.assert(property as fc.IAsyncProperty<unknown>, { seed, numRuns, endOnFailure: true });
}

/** Characters that mean something to one of the readers, or to none. */
const character = fc.oneof(
  fc.constantFrom(...'\0\t\n\r "\'#%&*,-./:;<=>?@[\\]_`{|}~\u007f\u0085\u00a0\u2028\u202e\ufeff'),
  fc.constantFrom('\ud800', 'é', '漢', '😀'),
  fc.string({ minLength: 1, maxLength: 6, unit: 'binary' }),
);
const word = fc.oneof(
  fc.constantFrom(
    '__proto__',
    'constructor',
    'toString',
    'null',
    '~',
    '<<',
    'true',
    '0x1f',
    '1e999',
  ),
  fc.string({ maxLength: 12, unit: 'binary' }),
  fc.constantFrom(NURL, FURL),
);

type Change = (text: string) => string;
const place = fc.nat({ max: 2000 });
/** What may happen to a text: cut, doubled, or holding what it should not. */
const changes: fc.Arbitrary<readonly Change[]> = fc.array(
  fc.oneof(
    fc.tuple(place, character).map(
      ([at, c]): Change =>
        (text) =>
          text.slice(0, at % (text.length + 1)) + c + text.slice(at % (text.length + 1)),
    ),
    fc.tuple(place, fc.nat({ max: 40 })).map(
      ([at, n]): Change =>
        (text) =>
          text.slice(0, at % (text.length + 1)) + text.slice((at % (text.length + 1)) + n),
    ),
    fc.tuple(place, fc.nat({ max: 31 }), place).map(
      ([from, n, to]): Change =>
        (text) =>
          text.slice(0, to % (text.length + 1)) +
          text.slice(from % (text.length + 1), (from % (text.length + 1)) + n) +
          text.slice(to % (text.length + 1)),
    ),
    fc.tuple(character, fc.integer({ min: 2, max: 400 })).map(
      ([c, n]): Change =>
        (text) =>
          text + c.repeat(n),
    ),
  ),
  { maxLength: 4 },
);
const changed = (text: fc.Arbitrary<string>) =>
  fc.tuple(text, changes).map(([start, steps]) => steps.reduce((now, step) => step(now), start));

/** A text as some editor saves it; most often as it should. */
const encoded = (text: fc.Arbitrary<string>) =>
  fc.tuple(text, fc.nat({ max: 11 })).map(([content, kind]) => {
    if (kind === 0) return Buffer.from(`\ufeff${content}`, 'utf16le');
    if (kind === 1) return Buffer.from(content, 'utf16le');
    if (kind === 2) return Buffer.from(content, 'latin1');
    return Buffer.from(kind === 3 ? `\ufeff${content}` : content);
  });

const scalar = fc.oneof(
  { weight: 3, arbitrary: word },
  { weight: 1, arbitrary: fc.oneof(fc.integer(), fc.double(), fc.boolean(), fc.constant(null)) },
);
const ann = fc.record(
  {
    nickname: fc.oneof(scalar, fc.constant([])),
    'anonymous-storage-FURL': fc.oneof({ weight: 19, arbitrary: fc.constant(FURL) }, scalar),
    'anonymous-storage-NURLs': fc.oneof(
      { weight: 9, arbitrary: fc.constant([NURL]) },
      { weight: 2, arbitrary: fc.array(fc.oneof(fc.constant(NURL), scalar), { maxLength: 3 }) },
      scalar,
    ),
    'permutation-seed-base32': fc.oneof(fc.constant('pj5gg43tmnrde6ld'), scalar),
    directory: fc.oneof(fc.constantFrom('a', 'b/../a', '/', '~', '\0'), scalar),
    'service-name': fc.constantFrom('storage', 'storage', 'other', 1),
  },
  { requiredKeys: ['anonymous-storage-FURL'] },
);
const anything = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(word, tie('value'), { maxKeys: 3 }),
  ),
})).value;
const entry = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record(
      { ann, connections: anything, directory: word },
      { requiredKeys: ['ann'] },
    ),
  },
  { weight: 1, arbitrary: anything },
);
const description = fc.oneof(
  { weight: 5, arbitrary: fc.record({ storage: fc.dictionary(word, entry, { maxKeys: 3 }) }) },
  {
    weight: 4,
    arbitrary: fc.array(
      fc.record({ ann, key_s: fc.oneof(word, anything) }, { requiredKeys: ['ann'] }),
      { maxLength: 3 },
    ),
  },
  { weight: 1, arbitrary: anything },
);
/** Small texts that ask for much. */
const bomb = fc
  .tuple(
    fc.constantFrom('[', '{a: ', '- ', '? ', '"', '!x ', '&a ', '*a ', 'a:\n', '#\n', '%'),
    fc.nat({ max: 3000 }),
  )
  .map(([piece, n]) => piece.repeat(n));
const aliases = fc
  .tuple(fc.integer({ min: 2, max: 12 }), fc.integer({ min: 1, max: 12 }))
  .map(
    ([depth, width]) =>
      `a0: &a0 [x]\n${Array.from({ length: depth }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(width).fill(`*a${i}`)}]\n`).join('')}storage: *a${depth}\n`,
  );
const yaml = encoded(
  fc.oneof(
    { weight: 12, arbitrary: changed(description.map((it) => stringify(it, { version: '1.1' }))) },
    { weight: 6, arbitrary: changed(description.map((it) => JSON.stringify(it))) },
    { weight: 1, arbitrary: changed(bomb) },
    { weight: 1, arbitrary: changed(aliases) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
  ),
);

/** Whether a change has made a secret the name of a server: names may be printed. */
function isName(bytes: Buffer, secret: string): boolean {
  const text = decodeText(bytes);
  if (!text?.includes(secret)) return false;
  try {
    const content = parse(text, { uniqueKeys: false, logLevel: 'silent' });
    const names = Array.isArray(content)
      ? content.map((it) => String(it?.key_s))
      : Object.keys(content?.storage ?? {});
    return names.some((name) => name.includes(secret));
  } catch {
    return false;
  }
}

/** Mostly what is right. */
function mostly(right: string, ...wrong: string[]) {
  return fc.oneof(
    { weight: 9, arbitrary: fc.constant(right) },
    { weight: 1, arbitrary: fc.constantFrom(...wrong) },
  );
}

test(`${some(2000)} hostile descriptions of servers`, { timeout: 900_000 }, async () => {
  const tally = { taken: 0, refused: 0 };
  const node = join(folder, 'node');
  await mkdir(join(node, 'private'), { recursive: true });
  const property = fc.asyncProperty(yaml, async (bytes) => {
    // As a list it may be what an introducer has announced.
    const isCache = bytes.includes('key_s');
    const path = join(node, 'private', isCache ? 'introducer_cache.yaml' : 'servers.yaml');
    const secrets = isName(bytes, SECRET) ? [] : SECRETS;
    const work = async () => {
      writeFileSync(path, bytes);
      const { entries, unusable } = await loadGridFile(isCache ? node : path).finally(() =>
        rmSync(path),
      );
      expect(entries.length).toBeGreaterThan(0);
      const said = unusable.map(({ problem }) => problem).join('\n');
      for (const secret of secrets) expect(said).not.toContain(secret);
    };
    await judge(tally, work, secrets);
  });
  await check(some(2000), property as never);
  expect(Math.min(...Object.values(tally))).toBeGreaterThan(least(20));
});

const line = fc.oneof(
  fc.constantFrom(
    '[client]',
    '[node]',
    '[connections]',
    '[DEFAULT]',
    '[__proto__]',
    '; x',
    '',
    '[x',
  ),
  fc
    .tuple(
      fc.constantFrom('shares.needed', 'Shares.Happy', 'shares.total', 'mutable.format', 'tcp'),
      fc.constantFrom('=', ' = ', ':', ' ', ''),
      fc.oneof(
        fc.nat({ max: 300 }).map(String),
        word,
        fc.constantFrom('tor', 'SDMF', 'false', '-1'),
      ),
    )
    .map((parts) => parts.join('')),
  fc
    .tuple(fc.constantFrom('reveal-IP-address', '__proto__', ' x'), word)
    .map(([a, b]) => `${a}=${b}`),
);
const cfg = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.array(line, { maxLength: 8 }).map((lines) => `[node]\n${lines.join('\n')}`),
  },
  {
    weight: 1,
    arbitrary: fc.nat({ max: 20_000 }).map((n) => `[a]${' '.repeat(n)}\n=${':;'.repeat(n)}`),
  },
);

test(`${some(6000)} hostile tahoe.cfg`, { timeout: 900_000 }, async () => {
  const tally = { taken: 0, refused: 0 };
  const path = join(folder, 'tahoe.cfg');
  const property = fc.asyncProperty(encoded(changed(cfg)), async (bytes) => {
    writeFileSync(path, bytes);
    await judge(tally, async () => {
      const { encoding, unusable, privacy } = await readNodeConfig(path);
      const { required, happy, total } = encoding;
      expect(required >= 1 && required <= total && happy >= 1 && total <= 255).toBe(true);
      const problems = [...Object.values(unusable), privacy];
      const said = problems.map((problem) => problem?.message ?? '').join('\n');
      for (const secret of SECRETS) expect(said).not.toContain(secret);
    });
  });
  await check(some(6000), property as never);
  await rm(path);
  expect(Math.min(...Object.values(tally))).toBeGreaterThan(least(100));
});

/** Hosts, most of them nearly right. */
const host = fc
  .tuple(fc.constantFrom('h', '10.0.0.1', '[fe80::1', '[::1]'), character, fc.nat({ max: 70_000 }))
  .map(([name, c, port]) => `${name}${c}:${port}`);
/** Parts of an address, well put together or not. */
const nurl = changed(
  fc
    .tuple(
      mostly('pb://', 'pb+tor://', 'http://', 'PB://', '', 'pb:/'),
      mostly(HASH, HASH.slice(1), `${HASH}=`, ''),
      fc.oneof(fc.constantFrom('127.0.0.1:1', '[::1]:2', 'h', 'h:0', '[', 'h:65536'), word, host),
      mostly(SECRET, encodeURIComponent(SECRET), `${SECRET}%`, `${SECRET}/x`, ''),
      mostly('#v=1', '', '#v=2', '#'),
    )
    .map(([scheme, hash, at, swissnum, version]) => `${scheme}${hash}@${at}/${swissnum}${version}`),
);

test(`${some(6000)} hostile NURLs`, { timeout: 900_000 }, async () => {
  const tally = { taken: 0, refused: 0 };
  const property = fc.asyncProperty(nurl, (text) =>
    judge(tally, () => {
      const read = parseNurl(text);
      // Whatever is taken can be put into a request.
      new Headers({ host: `${read.host}:${read.port}`, authorization: read.authorization() });
      expect(parseNurl(read.reveal())).toEqual(read);
      expect(`${read}${JSON.stringify(read)}`).not.toContain(SECRET);
    }),
  );
  await check(some(6000), property as never);
  expect(Math.min(...Object.values(tally))).toBeGreaterThan(least(100));
});

const cap = changed(
  fc
    .tuple(
      mostly('', 'http://127.0.0.1:3456/uri/', 'uri/', 'ro.', 'lafs://', ' '),
      mostly('URI:', 'uri:', 'URI%3A', ''),
      fc.constantFrom('SSK', 'MDMF', 'DIR2', 'DIR2-MDMF', 'SSK-RO', 'MDMF-Verifier', '__proto__'),
      mostly(':', '%3A', '::'),
      mostly(WRITEKEY, WRITEKEY.toUpperCase(), WRITEKEY.slice(1), ''),
      mostly(FINGERPRINT, `${FINGERPRINT}:3:131073`, `${FINGERPRINT}/a`, FINGERPRINT.slice(2)),
    )
    .map(
      ([start, uri, kind, sep, key, print]) => `${start}${uri}${kind}${sep}${key}${sep}${print}`,
    ),
);

test(`${some(6000)} hostile caps`, { timeout: 900_000 }, async () => {
  const tally = { taken: 0, refused: 0 };
  const property = fc.asyncProperty(cap, (text) => judge(tally, () => parseCap(text)));
  await check(some(6000), property as never);
  expect(Math.min(...Object.values(tally))).toBeGreaterThan(least(100));
});
