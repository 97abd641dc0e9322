/**
 * @module tahoe-cfg: what a node's `tahoe.cfg` says of new files, and of who may learn where we are.
 *
 * Tahoe reads the file with Python's configparser, and so does this: keys are case-blind, `:` is
 * `=`, an indented line goes on with the value before it, and `[DEFAULT]` speaks for all sections.
 * A setting that is missed is not harmless: it makes other shares, or calls servers directly.
 */
import { readFile } from 'node:fs/promises';
import type { Format } from '../caps.ts';
import { decodeText } from '../decode-text.ts';
import {
  completeEncoding,
  defaultEncoding,
  type Encoding,
  type UnusableSettings,
} from '../encoding.ts';
import { BadGridError, OutOfRangeError } from '../errors.ts';
import { errnoOf, ignoreMissing } from '../storage/atomic-file.ts';

/** What this library heeds of a `tahoe.cfg`. */
export interface NodeConfig {
  /** The defaults where there is none, and where it is unusable. */
  readonly encoding: Encoding;
  /** Of new files; undefined when it does not say. */
  readonly format: Format | undefined;
  readonly unusable: UnusableSettings;
  /** Why no server may be called directly; undefined when the owner does not mind. */
  readonly privacy: BadGridError | undefined;
}

/**
 * Reads a `tahoe.cfg`; a missing one says nothing.
 * @throws BadGridError naming the file when it is none
 */
export async function readNodeConfig(path: string): Promise<NodeConfig> {
  const sections = sectionsIn(path, await readText(path));
  const lookUp = (section: string, key: string) =>
    sections.get(section)?.get(key) ?? sections.get('DEFAULT')?.get(key);
  const client = (key: string) => lookUp('client', key);
  const { encoding, ...numbers } = readEncoding(path, client);
  const { format, ...wording } = readFormat(path, client('mutable.format'));
  return {
    encoding,
    format,
    unusable: { ...numbers.unusable, ...wording.unusable },
    privacy: privacyIn(path, lookUp),
  };
}

async function readText(path: string): Promise<string> {
  let bytes: Uint8Array | undefined;
  try {
    bytes = await readFile(path).catch(ignoreMissing);
  } catch (error) {
    throw gridErrorOf(path, 'cannot be read', error);
  }
  const text = bytes === undefined ? '' : decodeText(bytes);
  if (text === undefined) throw new BadGridError(path, notText);
  return text;
}

/** Of a file that should be text. */
export const notText = 'is not text in UTF-8, nor in UTF-16 with a byte order mark';

type Section = Map<string, string>;

/** Of a key that comes twice the last one counts. */
function sectionsIn(path: string, text: string): ReadonlyMap<string, Section> {
  const sections = new Map<string, Section>();
  let section: Section | undefined;
  let key: string | undefined;
  let indent = 0;
  for (const [i, line] of text.split(/\r\n|\r|\n/).entries()) {
    const content = line.trim();
    if (content === '' || /^[#;]/.test(content)) continue;
    const depth = line.length - line.trimStart().length;
    if (section !== undefined && key !== undefined && depth > indent) {
      section.set(key, `${section.get(key)}\n${withoutNote(content)}`.trim());
      continue;
    }
    indent = depth;
    const [, name] = /^\[([^\]]+)\]/.exec(content) ?? [];
    if (name !== undefined) {
      section = sections.get(name) ?? new Map();
      sections.set(name, section);
      key = undefined;
    } else if (section === undefined) {
      throw new BadGridError(path, `line ${i + 1}: comes before the first [section]`);
    } else {
      // A key without a value says nothing; whoever needs one says so.
      const end = /[=:]|$/.exec(content)?.index ?? 0;
      key = content.slice(0, end).trim().toLowerCase();
      section.set(key, withoutNote(content.slice(end + 1)).trim());
    }
  }
  return sections;
}

/** Python takes what comes behind ` ;` for a part of the value, which then makes no sense. */
function withoutNote(value: string): string {
  return value.replace(/(^|\s)[#;].*$/, '');
}

const KEYS = [
  ['shares.needed', 'required'],
  ['shares.happy', 'happy'],
  ['shares.total', 'total'],
] as const;

function readEncoding(path: string, lookUp: (key: string) => string | undefined) {
  const given: Partial<Record<keyof Encoding, number>> = {};
  const problems: Partial<Record<keyof Encoding, BadGridError>> = {};
  for (const [key, name] of KEYS) {
    const value = lookUp(key);
    if (value === undefined) continue;
    if (/^\d{1,9}$/.test(value)) given[name] = Number(value);
    else problems[name] = new BadGridError(path, `[client] ${key}: must be a whole number`);
  }
  let [problem] = Object.values(problems);
  try {
    const encoding = completeEncoding(given);
    if (problem === undefined) return { encoding };
  } catch (error) {
    if (!(error instanceof OutOfRangeError)) throw error;
    problem ??= new BadGridError(path, error.message);
  }
  // More than there are shares is no mistake for files that exist: a write then has to reach all.
  const happy = given.happy ?? defaultEncoding.happy;
  const unclear = problems.happy ?? (happy === 0 ? problem : undefined);
  return {
    encoding: unclear === undefined ? { ...defaultEncoding, happy } : defaultEncoding,
    unusable: { encoding: problem, ...(unclear && { happy: unclear }) },
  };
}

function readFormat(
  path: string,
  value: string | undefined,
): { format: Format | undefined; unusable?: UnusableSettings } {
  const format = value?.toLowerCase();
  if (format === undefined || format === 'sdmf' || format === 'mdmf') return { format };
  const problem = new BadGridError(path, '[client] mutable.format: must be sdmf or mdmf');
  return { format: undefined, unusable: { format: problem } };
}

/** Only what says for certain that nobody minds is taken for that. */
function privacyIn(
  path: string,
  lookUp: (section: string, key: string) => string | undefined,
): BadGridError | undefined {
  const rules = [
    ['node', 'reveal-ip-address', 'true', /^(1|yes|true|on)$/i],
    ['connections', 'tcp', 'tcp', /^tcp$/i],
  ] as const;
  for (const [section, key, only, isHarmless] of rules) {
    const value = lookUp(section, key);
    if (value !== undefined && !isHarmless.test(value)) {
      const problem = `only "${only}" can be honoured: servers are called directly`;
      return new BadGridError(path, `[${section}] ${key}: ${problem}`);
    }
  }
  return undefined;
}

/** A `tahoe.cfg` that says no more than this. */
export function encodingToText({ required, happy, total }: Encoding): string {
  const lines = [
    '[client]',
    `shares.needed = ${required}`,
    `shares.happy = ${happy}`,
    `shares.total = ${total}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** What the operating system refused as a {@link BadGridError}; any other error as it is. */
export function gridErrorOf(path: string, problem: string, error: unknown): unknown {
  const errno = errnoOf(error);
  return errno === undefined ? error : new BadGridError(path, `${problem}: ${errno}`);
}
