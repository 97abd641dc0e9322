import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cap, formatCap, toReadCap, toVerifyCap, writeCapOf } from '../../src/caps.ts';
import { capIn } from '../../src/cli/cap-text.ts';
import { holdsCap, redactorOf } from '../../src/cli/redaction.ts';
import { MalformedCapError } from '../../src/errors.ts';
import { runHere } from '../support/cli.ts';
import { testKey } from '../support/client-grid.ts';

const caps: readonly Cap[] = (['sdmf', 'mdmf'] as const).flatMap((format) =>
  [false, true].flatMap((directory) => {
    const cap = writeCapOf(testKey, format, directory);
    return [cap, toReadCap(cap), toVerifyCap(cap)];
  }),
);
const encoded = encodeURIComponent;
const directory = formatCap(writeCapOf(testKey, 'sdmf', true));
const malformed = (field: string, problem: string) => new MalformedCapError(field, problem);

describe('a cap is understood', () => {
  test.each<[string, (cap: string) => string]>([
    ['with blanks around it', (cap) => `  ${cap}\t`],
    ['with CRLF behind it', (cap) => `${cap}\r\n`],
    ['percent-encoded', encoded],
    ['percent-encoded in small letters', (cap) => cap.replaceAll(':', '%3a')],
    ['with a slash behind it', (cap) => `${cap}/`],
    ['in the address of its page', (cap) => `http://127.0.0.1:3456/uri/${encoded(cap)}`],
    ['in one that is not encoded', (cap) => `http://127.0.0.1:3456/uri/${cap}`],
    ['in one with a slash', (cap) => `http://127.0.0.1:3456/uri/${encoded(cap)}/`],
    ['in one with a question', (cap) => `https://tahoe.example/uri/${encoded(cap)}?t=info#top`],
    ['in one below a prefix', (cap) => `https://example/tahoe/uri/${encoded(cap)}/\r\n`],
    ['in one for a download', (cap) => `http://[::1]:3456/file/${encoded(cap)}/@@named=/a.txt`],
    ['in one of the form', (cap) => `http://127.0.0.1:3456/uri?uri=${encoded(cap)}`],
    ['with the scheme in capitals', (cap) => `HTTP://localhost/URI/${encoded(cap)}`],
  ])('%s', (_, form) => {
    for (const cap of caps) expect(formatCap(capIn(form(formatCap(cap))))).toBe(formatCap(cap));
  });
});

describe('what is not understood is said, and not quoted', () => {
  const path = malformed('path', 'it stands behind a cap; give the cap that it leads to');
  test.each([
    ['a path behind a directory', `${directory}/docs/a.txt`, path],
    ['the same, encoded', `${encoded(directory)}/docs`, path],
    ['the same in an address', `http://127.0.0.1:3456/uri/${encoded(directory)}/docs/a.txt`, path],
    [
      'another address',
      'http://127.0.0.1:3456/statistics',
      malformed('address', 'has no cap in it, which would stand behind "/uri/"'),
    ],
    [
      'an address with something else',
      'http://127.0.0.1:3456/uri/hello',
      malformed('prefix', 'does not begin with "URI:"'),
    ],
    [
      'a cap in two lines',
      directory.replace(/:(?=\w+$)/, ':\n'),
      malformed('text', 'has a blank or a line end in it'),
    ],
    [
      'broken percent-encoding',
      `${encoded(directory)}%zz`,
      malformed('text', 'its percent-encoding is broken'),
    ],
    ['a path that is none', './URI/x', malformed('prefix', 'does not begin with "URI:"')],
  ])('%s', (_, text, error) => {
    expect(() => capIn(text)).toThrowError(error);
  });
});

describe('a cap in a file', () => {
  let scratch: string;
  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'tahoe-mutable-caps-'));
  });
  afterAll(() => rm(scratch, { recursive: true }));

  const cap = formatCap(writeCapOf(testKey, 'mdmf'));
  const utf16be = (text: string) => Buffer.from(text, 'utf16le').swap16();
  test.each<[string, Buffer]>([
    ['UTF-8 with a byte order mark', Buffer.from(`\ufeff${cap}\n`)],
    ["UTF-16 as PowerShell's > writes it", Buffer.from(`\ufeff${cap}\r\n`, 'utf16le')],
    ['UTF-16, big end first', utf16be(`\ufeff${cap}\r\n`)],
    ['UTF-16 without a mark', Buffer.from(`${cap}\r\n`, 'utf16le')],
    ['UTF-16, big end first, without a mark', utf16be(cap)],
    ['an address in UTF-16', Buffer.from(`\ufeffhttp://h/uri/${encoded(cap)}\r\n`, 'utf16le')],
  ])('%s', async (_, bytes) => {
    const path = join(scratch, 'cap');
    await writeFile(path, bytes);
    const plain = await runHere(['cap', cap, '--json']);
    expect(plain.exit).toBe(0);
    expect(await runHere(['cap', `@${path}`, '--json'])).toEqual(plain);
    expect(await runHere(['cap', '-', '--json'], bytes)).toEqual(plain);
  });

  test('that is empty is named', async () => {
    const path = join(scratch, 'empty');
    await writeFile(path, '');
    expect(await runHere(['cap', `@${path}`])).toMatchObject({
      stderr: `tahoe-mutable: ${path}: is empty, where a cap is expected\n`,
      exit: 2,
    });
    expect((await runHere(['cap', '-'])).stderr).toContain('stdin: is empty');
  });

  test('a key in UTF-16 is as good as one in UTF-8', async () => {
    const path = join(scratch, 'pem');
    const text = '-----BEGIN ENCRYPTED PRIVATE KEY-----\n';
    await writeFile(path, Buffer.from(`\ufeff${text}`, 'utf16le'));
    const { stderr } = await runHere(['create', '-', '--private-key', path, '--grid', scratch]);
    expect(stderr).toContain('unusable key: it is encrypted');
  });
});

describe('a cap where a path belongs is refused, so that no file is called like one', () => {
  const cap = formatCap(writeCapOf(testKey, 'sdmf'));
  test.each([
    ['FILE', ['create', cap]],
    ['FILE', ['put', '@x', cap]],
    ['DIR', ['grid', 'create', cap]],
    ['-o, --output <FILE>', ['get', '@x', '-o', cap]],
    ['-o, --output <FILE>', ['create', 'x', '-o', `http://127.0.0.1/uri/${encoded(cap)}`]],
    ['--grid <path>', ['get', '@x', '--grid', encoded(cap)]],
    ['--private-key <PEM>', ['create', 'x', '--private-key', cap]],
    ['--trace <FILE>', ['inspect', '--no-wait', '--trace', cap]],
  ])('%s: %j', async (name, args) => {
    const { stderr, stdout, exit } = await runHere(args);
    expect({ stdout: stdout.toString(), exit }).toEqual({ stdout: '', exit: 2 });
    expect(stderr).toContain(`'${name}`);
    expect(stderr).toContain('It is a cap, not a path.');
  });

  test('behind "@" too', async () => {
    expect(await runHere(['get', `@${cap}`])).toMatchObject({
      stderr: 'tahoe-mutable: CAP: behind "@" is a cap, not a path\n',
      exit: 2,
    });
  });
});

describe('redaction', () => {
  const cap = formatCap(writeCapOf(testKey, 'sdmf'));
  const [, , key = '', fingerprint = ''] = cap.split(':');

  test('knows the caps of the line, whatever has become of them', () => {
    const redact = redactorOf(['get', cap, '--json']);
    for (const text of [key, key.toUpperCase(), `\\n${key}\\n`, `'${key}' + ':'`]) {
      expect(redact(`a ${text} b`)).toBe(`a ${text.replace(new RegExp(key, 'i'), '…')} b`);
    }
    expect(redactorOf(['get', 'x'])(`a ${key} b`)).toBe(`a ${key} b`);
  });

  test('leaves storage indexes, ids and paths readable', () => {
    const verifyCap = formatCap(toVerifyCap(writeCapOf(testKey, 'sdmf')));
    const [, , storageIndex] = verifyCap.split(':');
    const text = `server v0-${fingerprint}: EACCES in open of /s/shares/ab/${storageIndex}/0`;
    expect(redactorOf(['get', verifyCap])(text)).toBe(text);
    expect(redactorOf(['get', '/home/me/some-long-directory'])(text)).toBe(text);
  });

  test('tells caps from paths and other words', () => {
    const all = [
      cap,
      encoded(cap),
      encoded(encoded(cap)),
      `x=${cap}`,
      cap.slice(4),
      `${key} :${fingerprint}`,
    ];
    expect(all.filter((text) => !holdsCap(text))).toEqual([]);
    const others = ['-', '@cap.txt', '/tmp/uri/x', 'https://127.0.0.1:3456/', '3,10', `/a/${key}`];
    expect(others.filter(holdsCap)).toEqual([]);
  });
});
