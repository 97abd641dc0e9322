/**
 * @module misbehaving-answers: what a hostile HTTPS server may send, chosen by a seed.
 *
 * An answer is a script: bytes, and how they are sent and left. It is made of pieces that are right
 * or wrong by themselves (status line, headers, framing, CBOR), so that most of it gets past the
 * first check. `echo` is what the request said of itself, secrets and all: a server may quote it.
 */
import { encode, Tagged } from 'cborg';
import { concatBytes, utf8 } from '../../src/bytes.ts';
import { Prng } from '../../src/simulation/prng.ts';

export type Step =
  | { readonly kind: 'send'; readonly bytes: Uint8Array }
  /** Byte by byte, with a little time between them, for as long as somebody listens. */
  | { readonly kind: 'trickle'; readonly bytes: Uint8Array }
  | { readonly kind: Leave };

/** How an answer is left. */
type Leave = 'end' | 'reset' | 'hang';

/** The script of one answer. The same seed and echo give the same one. */
export function misbehaviourOf(seed: number, echo: string): readonly Step[] {
  const random = new Prng(seed);
  const message = random.chance(0.05) ? noise(random) : messageOf(random, echo);
  return deliver(random, message);
}

// --- how it is sent -----------------------------------------------------------------------------

function deliver(random: Prng, message: Uint8Array): readonly Step[] {
  const cut = random.chance(0.2) ? random.below(message.length + 1) : message.length;
  const bytes = message.subarray(0, cut);
  const leave: Step = { kind: random.pick<Leave>(['end', 'end', 'end', 'reset', 'hang']) };
  const half = random.below(bytes.length + 1);
  switch (random.below(8)) {
    case 0:
      return [{ kind: 'trickle', bytes }, leave];
    case 1:
      return [
        { kind: 'send', bytes: bytes.subarray(0, half) },
        { kind: 'trickle', bytes: bytes.subarray(half) },
        leave,
      ];
    case 2:
      return [
        { kind: 'send', bytes: bytes.subarray(0, half) },
        { kind: 'send', bytes: bytes.subarray(half) },
        leave,
      ];
    case 3:
      // The next answer, to nobody's question.
      return [{ kind: 'send', bytes: concatBytes(bytes, message) }, leave];
    default:
      return [{ kind: 'send', bytes }, leave];
  }
}

function noise(random: Prng): Uint8Array {
  return random.bytes(random.below(3000));
}

// --- HTTP ---------------------------------------------------------------------------------------

const statuses = [200, 200, 200, 200, 204, 206, 206, 206, 301, 302, 304, 400, 401, 401, 404, 404];
const rareStatuses = [0, 99, 100, 101, 199, 201, 205, 299, 307, 408, 413, 416, 429, 500, 503, 999];

function messageOf(random: Prng, echo: string): Uint8Array {
  const status = random.pick(random.chance(0.7) ? statuses : rareStatuses);
  const body = bodyOf(random, echo);
  const framing = frame(random, body);
  const lines = [
    ...interim(random),
    `${random.chance(0.95) ? 'HTTP/1.1' : random.pick(oddProtocols)} ${status} ${reason(random, echo)}`,
    ...headers(random, echo),
    ...framing.headers,
  ];
  const newline = random.chance(0.95) ? '\r\n' : random.pick(['\n', '\r', '\r\r\n', '\0\n']);
  return concatBytes(utf8(`${lines.join(newline)}${newline}${newline}`), framing.bytes);
}

const oddProtocols = ['HTTP/1.0', 'HTTP/0.9', 'HTTP/2', 'HTTP/1.10', 'http/1.1', 'ICY', ''];

function reason(random: Prng, echo: string): string {
  return random.pick(['OK', '', 'x'.repeat(random.below(5000)), oneLine(echo), 'ö\u0001\u007f']);
}

/** Provisional answers before the one that counts, at times a flood of them. */
function interim(random: Prng): readonly string[] {
  if (!random.chance(0.1)) return [];
  const line = random.pick(['100 Continue', '102 Processing', '103 Early Hints', '199 x']);
  const count = random.pick([1, 2, 50, 1000]);
  return Array.from({ length: count }, () => `HTTP/1.1 ${line}\r\nX: y\r\n`);
}

const types = [
  'application/cbor',
  'Application/CBOR; charset=x',
  'text/html',
  '',
  'application/json',
];
const ranges = [
  ...['bytes 0-9/*', 'bytes 0-99/100', 'bytes 0-0/1', 'bytes 9-0/*', 'bytes */10', 'bytes 0-9'],
  ...['bytes -1-5/*', 'bytes 0-99999999999999999999/*', 'items 0-9/*', 'bytes 5-9/*', '', 'x'],
];
const oddHeaders = [
  ...['Location: https://127.0.0.1:1/', 'Location: file:///etc/passwd', 'Content-Encoding: gzip'],
  ...['Connection: close', 'Connection: upgrade', 'Upgrade: h2c', 'Trailer: X', 'Keep-Alive: x'],
  ...['__proto__: x', 'constructor: x', 'toString: x', 'Set-Cookie: a=b', 'no colon', ': empty'],
  ...['X\0: nul', 'X: \u0001', ' folded: x', 'Transfer-Encoding: gzip', 'Content-Length: x'],
];

function headers(random: Prng, echo: string): readonly string[] {
  const some: string[] = [];
  if (random.chance(0.9)) {
    some.push(`Content-Type: ${random.chance(0.8) ? types[0] : random.pick(types)}`);
  }
  if (random.chance(0.6)) {
    some.push(`Content-Range: ${random.chance(0.5) ? ranges[0] : random.pick(ranges)}`);
  }
  for (let more = random.below(3); more > 0; more--) some.push(random.pick(oddHeaders));
  if (random.chance(0.1)) some.push(`X-Echo: ${oneLine(echo)}`);
  if (random.chance(0.05)) some.push(`X-Huge: ${'x'.repeat(random.pick([10_000, 100_000]))}`);
  if (random.chance(0.05)) some.push(...Array.from({ length: 2500 }, (_, i) => `X-${i}: y`));
  return some;
}

function frame(random: Prng, body: Uint8Array): { headers: readonly string[]; bytes: Uint8Array } {
  switch (random.below(6)) {
    case 0:
      return { headers: [], bytes: body };
    case 1:
      return { headers: ['Transfer-Encoding: chunked'], bytes: chunked(random, body) };
    case 2: {
      const length = random.pick([0, 1, body.length + 1, 2 ** 31, 2 ** 53, 1e30]);
      return { headers: [`Content-Length: ${length}`], bytes: body };
    }
    case 3: {
      const both = ['Transfer-Encoding: chunked', `Content-Length: ${body.length}`];
      return { headers: both, bytes: chunked(random, body) };
    }
    default:
      return { headers: [`Content-Length: ${body.length}`], bytes: body };
  }
}

function chunked(random: Prng, body: Uint8Array): Uint8Array {
  // At most 500 chunks: what a chunk can do, a thousand cannot do better.
  const size = Math.max(random.pick([1, 7, 1000, 100_000]), Math.ceil(body.length / 500));
  const pieces: Uint8Array[] = [];
  for (let start = 0; start < body.length; start += size) {
    const piece = body.subarray(start, start + size);
    const length = random.chance(0.99) ? piece.length.toString(16) : random.pick(oddLengths);
    pieces.push(utf8(`${length}${extension(random)}\r\n`), piece, utf8('\r\n'));
  }
  const trailer = random.chance(0.1) ? 'X: y\r\n'.repeat(random.pick([1, 5000])) : '';
  if (random.chance(0.9)) pieces.push(utf8(`0\r\n${trailer}\r\n`));
  return Buffer.concat(pieces);
}

const oddLengths = ['ffffffffffffffffffff', '-1', 'x', '', '0', '7fffffff', '0x10'];

function extension(random: Prng): string {
  return random.chance(0.998) ? '' : `;${'x'.repeat(random.pick([1, 20_000]))}`;
}

// --- bodies -------------------------------------------------------------------------------------

function bodyOf(random: Prng, echo: string): Uint8Array {
  switch (random.below(10)) {
    case 0:
      return noise(random);
    case 1:
      return utf8(echo);
    case 2:
      return new Uint8Array(random.pick([0, 0, 0, 1, 10, 10, 100, 70_000, 300_000]));
    case 3:
      return random.pick(hardCbor)(random);
    default:
      return mangled(random, encode(rightOr(random, echo)));
  }
}

/** What cannot be had by encoding something. */
const hardCbor: readonly ((random: Prng) => Uint8Array)[] = [
  // Deep, with and without an end: arrays, tags, maps in maps, indefinite arrays.
  (random) => repeated(random.pick([[0x81], [0xc1], [0xa1, 0x01], [0x9f], [0xd9, 1, 2]]), 60_000),
  (random) => concatBytes(repeated([0x81], random.pick([50, 5000])), Uint8Array.of(0)),
  // Lengths that nobody has: bytes, text, array, map of 2^32 and of 2^63.
  (random) => Uint8Array.of(random.pick([0x5a, 0x7a, 0x9a, 0xba]), 255, 255, 255, 255, 1),
  (random) => Uint8Array.of(random.pick([0x5b, 0x7b, 0x9b, 0xbb]), 0x7f, ...Array(7).fill(255)),
  // Indefinite: bytes of bytes, a map, an array in a set, never ended.
  () => Uint8Array.of(0x5f, 0x41, 1, 0x41, 2, 0xff),
  () => Uint8Array.of(0xbf, 0x61, 97, 1, 0xff),
  () => Uint8Array.of(0xd9, 1, 2, 0x9f, 0, 1),
  // Twice the same key, and the same number.
  () => Uint8Array.of(0xa2, 0x61, 97, 1, 0x61, 97, 2),
  () => concatBytes(Uint8Array.of(0xd9, 1, 2, 0x9a, 0, 0, 0xea, 0x60), new Uint8Array(60_000)),
  // A set of what is no list, a bignum of 60,000 bytes, a tag of a tag of a tag.
  (random) => Uint8Array.of(0xd9, 1, 2, random.pick([0, 0xf6, 0x61, 0xa0, 0x40])),
  () =>
    concatBytes(Uint8Array.of(0xd9, 1, 2, 0x81, 0xc2, 0x59, 0xea, 0x60), new Uint8Array(60_000)),
  // Reserved, undefined, half floats, breaks where there is nothing to break.
  (random) => Uint8Array.of(random.pick([0xff, 0xf7, 0xf8, 0xfc, 0x1c, 0xf9, 0xe0]), 0x7e, 0),
];

function repeated(unit: readonly number[], count: number): Uint8Array {
  return new Uint8Array(unit.length * count).map((_, i) => unit[i % unit.length]!);
}

function mangled(random: Prng, bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  if (copy.length === 0 || random.chance(0.5)) return copy;
  for (let changes = 1 + random.below(3); changes > 0; changes--) {
    copy[random.below(copy.length)] = random.below(256);
  }
  return copy;
}

/** An answer to one of the calls, perhaps with something else in the place of a part of it. */
function rightOr(random: Prng, echo: string): unknown {
  const or = <T>(right: T): unknown => (random.chance(0.8) ? right : oddValue(random, echo, 3));
  const protocol = 'http://allmydata.org/tahoe/protocols/storage/v1';
  switch (random.below(4)) {
    case 0:
      return new Tagged(random.chance(0.9) ? 258 : 30, or([or(0), or(3), 255]));
    case 1:
      return new Map([
        ['success', or(true)],
        ['data', or(new Map([[or(0), or([or(new Uint8Array(5))])]]))],
      ] as never);
    case 2:
      return new Map([
        [
          utf8(protocol),
          or(
            new Map([
              [utf8('maximum-mutable-share-size'), or(2n ** 60n)],
              [utf8('available-space'), or(2n ** 63n)],
            ]),
          ),
        ],
        [utf8('application-version'), or(utf8('tahoe-lafs/1.20'))],
      ] as never);
    default:
      return oddValue(random, echo, 4);
  }
}

const names = ['__proto__', 'constructor', 'toString', 'success', 'data', 'length', 'then', ''];

function oddValue(random: Prng, echo: string, depth: number): unknown {
  const inner = (): unknown => oddValue(random, echo, depth - 1);
  switch (random.below(depth > 0 ? 12 : 8)) {
    case 0:
      return random.pick([-1, 2 ** 53, 1.5, Number.NaN, Infinity, 2n ** 64n - 1n, -(2n ** 63n)]);
    case 1:
      return random.pick([null, true, false]);
    case 2:
      return random.bytes(random.below(50));
    case 3:
      return random.pick(names);
    case 4:
      return echo;
    case 5:
      return new Uint8Array(random.pick([0, 5, 6, 60_000]));
    case 6:
      return 'x'.repeat(random.pick([0, 1, 60_000]));
    case 7:
      return Array.from({ length: random.pick([0, 1, 300, 20_000]) }, (_, i) => i);
    case 8:
      return [inner(), inner()];
    case 9:
      return new Map([[inner(), inner()] as const]);
    case 10:
      return new Map(names.map((name) => [name, random.below(3)]));
    default:
      return new Tagged(random.pick([0, 2, 30, 258]), inner());
  }
}

function oneLine(text: string): string {
  return text.replaceAll('\n', ' ');
}
