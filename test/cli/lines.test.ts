/**
 * Command lines that hold a cap, of every kind and in every form, wherever an argument can stand.
 * Each ends, with an error of ours or none, and prints nothing of the cap's key.
 */
import { createPrivateKey } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { utf8 } from '../../src/bytes.ts';
import { type Cap, formatCap, toReadCap, toVerifyCap, writeCapOf } from '../../src/caps.ts';
import * as complaint from '../../src/cli/complaint.ts';
import * as errors from '../../src/errors.ts';
import { createGridFolder, openGrid } from '../../src/node.ts';
import { Prng } from '../../src/simulation/prng.ts';
import { type Ended, runCli, runHere } from '../support/cli.ts';
import { bytesOf, testKey } from '../support/client-grid.ts';
import { leaksIn } from '../support/secret-search.ts';

const LINES = 600;
const SEED = Number(process.env.TAHOE_MUTABLE_SEED ?? Date.now() % 2 ** 31);

let scratch: string;
let home: string;
/** What is right in the place of a grid, a cap, a file, a key, an output and a folder. */
const right = { grid: '', cap: '', file: '', pem: '', out: '', folder: '' };

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'tahoe-mutable-lines-'));
  const at = (name: string) => join(scratch, name);
  Object.assign(right, {
    grid: at('grid'),
    cap: `@${at('cap')}`,
    file: at('file'),
    pem: at('pem'),
    out: at('out'),
    folder: at('folder'),
  });
  await createGridFolder(right.grid, {
    servers: 2,
    encoding: { required: 1, happy: 2, total: 2 },
  });
  await (await openGrid(right.grid)).create({ contents: bytesOf(100), key: testKey });
  await writeFile(at('cap'), formatCap(writeCapOf(testKey, 'mdmf')));
  await writeFile(right.file, bytesOf(10));
  const key = createPrivateKey({ key: Buffer.from(testKey.pkcs8), format: 'der', type: 'pkcs8' });
  await writeFile(right.pem, key.export({ format: 'pem', type: 'pkcs8' }));
  // Whatever is taken for a path lies here.
  home = process.cwd();
  await mkdir(at('here'));
  process.chdir(at('here'));
});
afterAll(async () => {
  process.chdir(home);
  await rm(scratch, { recursive: true });
});

type Choose = <T>(from: readonly T[]) => T;

const encoded = encodeURIComponent;
const split = (cap: string, by: string) => {
  const middle = cap.indexOf(':', 5) + 14;
  return `${cap.slice(0, middle)}${by}${cap.slice(middle)}`;
};
const UNDERSTOOD: readonly ((cap: string) => string)[] = [
  (cap) => cap,
  encoded,
  (cap) => `http://127.0.0.1:3456/uri/${encoded(cap)}`,
  (cap) => `http://127.0.0.1:3456/uri/${cap}/`,
  (cap) => `${cap}\r\n`,
];
const FORMS: readonly ((cap: string) => string)[] = [
  ...UNDERSTOOD,
  (cap) => `ro.${cap}`,
  (cap) => `imm.${cap}`,
  (cap) => cap.toUpperCase(),
  (cap) => cap.toLowerCase(),
  (cap) => encoded(encoded(cap)),
  (cap) => cap.replaceAll(':', '%3a'),
  (cap) => cap.replace(/./g, (c) => `%${c.charCodeAt(0).toString(16)}`),
  (cap) => `https://h.example/uri/${encoded(cap)}/docs/a.txt?t=info`,
  (cap) => `http://127.0.0.1:3456/file/${encoded(cap)}/@@named=/a.txt`,
  (cap) => `http://127.0.0.1:3456/uri?uri=${encoded(cap)}`,
  (cap) => `http://127.0.0.1:3456/cap?${encoded(cap)}%`,
  (cap) => `${cap}/`,
  (cap) => `${cap}/docs/a.txt`,
  (cap) => `../${cap}`,
  (cap) => `  ${cap} `,
  (cap) => `${cap}:3:131073`,
  (cap) => `'${cap}'`,
  (cap) => `"${cap}\\`,
  (cap) => cap.replaceAll(':', ': '),
  (cap) => split(cap, ' '),
  (cap) => split(cap, '\n'),
  (cap) => split(cap, '"'),
  (cap) => split(cap, '\u0007'),
  (cap) => cap.slice(4),
  (cap) => cap.slice(0, -10),
  (cap) => `${cap}a`,
  (cap) => `@${cap}`,
  (cap) => `-${cap}`,
  (cap) => `--${cap}`,
  (cap) => `-o${cap}`,
  (cap) => `--output=${cap}`,
  (cap) => `--grid=${encoded(cap)}`,
  (cap) => `--offset=${cap}`,
  (cap) => `--no-such=${cap}`,
];

const COMMANDS: readonly (() => readonly string[])[] = [
  () => ['get', right.cap],
  () => ['put', right.cap, right.file],
  () => ['update', right.cap, right.file, '--offset', '3'],
  () => ['append', right.cap, right.file],
  () => ['servermap', right.cap],
  () => ['check', right.cap],
  () => ['repair', right.cap],
  () => ['cap', right.cap],
  () => ['create', right.file, '--private-key', right.pem],
  () => ['ls', right.cap],
  () => ['cp', '-r', right.file, right.cap],
  () => ['cp', right.cap, right.out],
  () => ['modify', right.cap, '--exec', 'true'],
  () => ['add-alias', 'x', right.cap],
  () => ['list-aliases'],
  () => ['remove-alias', 'x'],
  () => ['find-shares', right.cap],
  () => ['dump-share', right.file],
  () => ['completion', 'bash'],
  () => ['grid', 'create', right.folder],
  () => ['grid', 'status'],
  () => ['inspect', '--no-wait', '--', 'get', right.cap],
  () => ['inspect', '--no-wait', '--', 'cap', right.cap],
  () => ['help', 'get'],
  () => ['--version'],
  () => [],
];

const OPTIONS: readonly (() => readonly string[])[] = [
  () => ['--offset', '5'],
  () => ['--length', '5'],
  () => ['-o', right.out],
  () => ['--output', right.out],
  () => ['--force'],
  () => ['--raw'],
  () => ['--verify'],
  () => ['--mode', 'read'],
  () => ['--format', 'sdmf'],
  () => ['--private-key', right.pem],
  () => ['--servers', '3'],
  () => ['--encoding', '1,2'],
  () => ['--port', '0'],
  () => ['--trace', right.out],
  () => ['--no-such', 'value'],
  () => ['--help'],
];

/** The caps of the file on the grid, and of one that is nowhere. */
const CAPS: readonly Cap[] = (['sdmf', 'mdmf'] as const).flatMap((format) =>
  [testKey, { pkcs8: utf8('of no file'), spki: utf8('anywhere') }].flatMap((key) =>
    [false, true].flatMap((directory) => {
      const cap = writeCapOf(key, format, directory);
      return [cap, toReadCap(cap), toVerifyCap(cap)];
    }),
  ),
);

interface Line {
  readonly args: readonly string[];
  readonly cap: Cap;
}

function lineOf(random: () => number): Line {
  const choose: Choose = (from) => from[Math.floor(random() * from.length)] as (typeof from)[0];
  const cap = choose(CAPS);
  const text = choose(random() < 0.4 ? UNDERSTOOD : FORMS)(formatCap(cap));
  const args = [...choose(COMMANDS)()];
  for (let i = 0; i < 2; i++) if (random() < 0.3) args.push(...choose(OPTIONS)());
  if (random() < 0.9) args.unshift('--grid', right.grid);
  if (random() < 0.7) args.unshift('--json');
  if (random() < 0.3) args.unshift('--verbose');
  // Where it belongs, in the place of something else, or besides all that is right.
  const own = args.indexOf(right.cap);
  if (own >= 0 && random() < 0.5) args[own] = text;
  else args.splice(Math.floor(random() * (args.length + 1)), random() < 0.7 ? 1 : 0, text);
  return { args: withoutWaiting(args), cap };
}

/** The visualizer would wait for Ctrl-C, and the demo take its time. */
function withoutWaiting(args: readonly string[]): readonly string[] {
  const at = args.indexOf('inspect');
  if (at < 0 || args[at + 1] === '--no-wait') return args;
  return args.toSpliced(at + 1, 0, '--no-wait');
}

const TYPED = new Set<string>(
  [...Object.values(errors), ...Object.values(complaint)].flatMap((it) =>
    typeof it === 'function' && 'code' in it ? [String(it.code)] : [],
  ),
);

/** What is wrong with what a line has printed. */
function problemsOf({ args, cap }: Line, { stdout, stderr, exit }: Ended): string[] {
  const problems: string[] = [];
  // 3: a file was looked at, and is not healthy.
  const isLook = args.includes('check') || args.includes('repair');
  const codes: readonly unknown[] = [0, 1, 2, 4, 5, 6, ...(isLook ? [3] : [])];
  if (!codes.includes(exit)) problems.push(`exit ${exit}`);
  const out = stdout.toString();
  if (/\b(?:Type|Range|Reference|Syntax)Error|ERR_[A-Z]/.test(stderr)) problems.push('untyped');
  if (exit !== 0 && !args.includes('--verbose') && /\n\s+at /.test(stderr)) problems.push('stack');
  if (exit !== 0 && args.includes('--json') && out.trim() !== '') {
    const code = codeIn(out);
    if (code !== undefined && !TYPED.has(code) && !code.startsWith('commander.')) {
      problems.push(`code ${code}`);
    }
  }
  if (cap.kind !== 'verify') {
    if (holdsKey(stderr, cap)) problems.push('key on stderr');
    if (holdsKey(mayTell(args, cap) ? '' : withoutOwn(args, out), cap)) {
      problems.push('key on stdout');
    }
  }
  return problems;
}

function codeIn(document: string): string | undefined {
  return JSON.parse(document)?.error?.code;
}

/** `cap` tells the read cap of what it is given; it never tells a write cap. */
function mayTell(args: readonly string[], { kind }: Cap): boolean {
  return args.includes('cap') && kind === 'read';
}

/** `create` tells the caps of what it has made. */
function withoutOwn(args: readonly string[], text: string): string {
  if (!args.includes('create')) return text;
  const own = (['sdmf', 'mdmf'] as const).map((format) => writeCapOf(testKey, format));
  return own
    .flatMap((cap) => [formatCap(cap), formatCap(toReadCap(cap))])
    .reduce((rest, cap) => rest.replaceAll(cap, ''), text);
}

/** Also a part of it, in either case, and percent-encoded. */
function holdsKey(text: string, cap: Cap): boolean {
  const key = formatCap(cap).split(':')[2] as string;
  const plain = text.replace(/%([0-9a-f]{2})/gi, (_, hex) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  const parts = Array.from({ length: key.length - 11 }, (_, i) => key.slice(i, i + 12));
  const seen = `${text}\n${plain}`.toLowerCase();
  if (parts.some((part) => seen.includes(part))) return true;
  const bytes = cap.kind === 'write' ? cap.writekey : cap.kind === 'read' ? cap.readkey : undefined;
  return bytes !== undefined && leaksIn(text, [bytes]).length > 0;
}

const hangMs = 30_000;

async function ended(line: Line): Promise<Ended | 'hangs'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'hangs'>((resolve) => {
    timer = setTimeout(() => resolve('hangs'), hangMs);
  });
  try {
    return await Promise.race([runHere(line.args, 'from stdin'), late]);
  } finally {
    clearTimeout(timer);
  }
}

test(`${LINES} lines with a cap (TAHOE_MUTABLE_SEED=${SEED}) end in an error of ours or none, and give nothing away`, {
  timeout: 180_000,
}, async () => {
  const { random } = new Prng(SEED);
  const found: object[] = [];
  const exits = { 0: 0, 2: 0, 4: 0, 6: 0 } as Record<string, number>;
  for (let i = 0; i < LINES; i++) {
    const line = lineOf(random);
    const result = await ended(line);
    const problems = result === 'hangs' ? [result] : problemsOf(line, result);
    if (problems.length > 0) found.push({ i, problems, args: line.args });
    if (result !== 'hangs') exits[String(result.exit)] = (exits[String(result.exit)] ?? 0) + 1;
    await rm(right.folder, { recursive: true, force: true });
  }
  expect(found).toEqual([]);
  expect(exits[0]).toBeGreaterThan(LINES / 20);
  expect(exits[4]).toBeGreaterThan(LINES / 500);
  expect(exits[2]).toBeGreaterThan(LINES / 5);
  const names = await readdir('.', { recursive: true });
  expect(names.filter((name) => CAPS.some((cap) => holdsKey(name, cap)))).toEqual([]);
});

test('a few of them as processes, whose whole output is seen', async () => {
  const { random } = new Prng(SEED);
  const lines = Array.from({ length: 8 }, () => lineOf(random));
  lines.push({ args: ['demo', formatCap(CAPS[0] as Cap)], cap: CAPS[0] as Cap });
  for (const line of lines) {
    expect({ line: line.args, problems: problemsOf(line, await runCli(line.args)) }).toEqual({
      line: line.args,
      problems: [],
    });
  }
});
