/**
 * @module scenario: a schedule as a page of prose, with what came of it below each command.
 *
 * A file is read by people first (etcd's raft tests are the model). Its parts, apart by empty
 * lines:
 *
 *     # Prose, in comments. `# Title: …` on the first line; `## …` begins a run and names it.
 *
 *     grid k=2 happy=3 n=3          one block of lines makes the world:
 *                                   (file=3of20: made by a client with other settings;
 *                                   directory: its words are its names, `link` adds one)
 *     s0: 0                         server s0 holds share 0 of version 1
 *     s1: 1@v2 2!signature 3?       share 1 of version 2; share 2, rotten; share 3, of a stranger
 *     s2: later                     operations know it once it has joined
 *     w1: overwrite rule=ticket     an operation, its options
 *     a1: call                      a program of whoever plays the scenario
 *
 *     start w1                      a block of commands: labels of choices, and the words below
 *     deliver s0 list
 *     ----
 *     w1 map s0: querying → verifying      what came of them, up to the next empty line
 *
 * In labels the operation may be left out where it is clear, and so may what all messages of a
 * server have in common. Beside the labels:
 *
 *     deliver all s0      every message of s0, also those that follow, oldest first
 *     deliver all w1 * read      `*` stands for any one word
 *     deliver rest        everything, time included, until nothing is left
 *     deliver rest but s4 w2   … except what concerns these
 *     deliver rest of w2       … what concerns these, until they have ended
 *     expect …            see `scenario-expect.ts`
 */
import type { Rule } from '../../machines/rules.ts';
import type { Mode } from '../../machines/servermap.ts';
import { type RotField, rotFields } from './disk.ts';
import type { Message } from './network.ts';
import type { OperationSpec, Program, Task } from './operations.ts';
import { PropertyWatch } from './properties.ts';
import { runToEnd } from './run-to-end.ts';
import { expectation } from './scenario-expect.ts';
import { Narrator } from './scenario-narrator.ts';
import { type Choice, type ServerSpec, type ShareSpec, World, type WorldOptions } from './world.ts';

/** Something is wrong with a scenario, in this line of its file (from 1). */
export class ScenarioError extends Error {
  /** From 1. */
  readonly line: number;

  constructor(line: number, problem: string) {
    super(`line ${line}: ${problem}`);
    this.name = 'ScenarioError';
    this.line = line;
  }
}

/** A line of a scenario's file. */
export interface Line {
  /** From 1. */
  readonly number: number;
  /** Without what ends it. */
  readonly text: string;
}

/** A grid, and what happens on it. */
export interface ScenarioRun {
  /** Of its heading; the scenario's own for the first run. */
  readonly title: string;
  /** Of its world. */
  readonly options: WorldOptions;
  /** In order. */
  readonly blocks: readonly Block[];
}

/** Commands, and what is written below them. */
export interface Block {
  /** What is done. */
  readonly commands: readonly Line[];
  /** What must come of it. */
  readonly expected: readonly string[];
}

/** A piece of the file. */
export type ScenarioPart =
  | { readonly kind: 'prose'; readonly lines: readonly Line[] }
  | { readonly kind: 'block'; readonly block: Block };

/** A schedule that stands in a file. */
export interface Scenario {
  /** Of its file, without `.txt`. */
  readonly name: string;
  /** Its first heading. */
  readonly title: string;
  /** The comments, one paragraph per element. */
  readonly prose: readonly string[];
  /** At least one. */
  readonly runs: readonly ScenarioRun[];
  /** The whole file, in order. */
  readonly parts: readonly ScenarioPart[];
}

/** @throws ScenarioError */
export function parseScenario(name: string, text: string): Scenario {
  const parts = partsOf(text);
  const runs: { title: string; options: WorldOptions; blocks: Block[] }[] = [];
  const prose: string[] = [];
  let heading: string | undefined;
  for (const part of parts) {
    if (part.kind === 'prose') {
      const words = part.lines.map(({ text: line }) => line.replace(/^#+ ?/, ''));
      prose.push(...words.join('\n').split('\n\n'));
      heading =
        part.lines.findLast((line) => line.text.startsWith('## '))?.text.slice(3) ?? heading;
      continue;
    }
    const { block } = part;
    const [first] = block.commands as [Line];
    if (first.text.startsWith('grid')) {
      runs.push({ title: heading ?? '', options: parseWorld(block.commands), blocks: [block] });
      heading = undefined;
    } else {
      const run = runs.at(-1);
      if (run === undefined) throw new ScenarioError(first.number, 'there is no grid yet');
      run.blocks.push(block);
    }
  }
  if (runs.length === 0) throw new ScenarioError(1, 'there is no grid');
  const title = /^Title: (.*)/.exec(prose[0] ?? '')?.[1] ?? name;
  return { name, title, prose, runs, parts };
}

function partsOf(text: string): readonly ScenarioPart[] {
  const parts: ScenarioPart[] = [];
  const lines = text.split('\n').map((line, i) => ({ number: i + 1, text: line.trimEnd() }));
  let at = 0;
  while (at < lines.length) {
    const start = at;
    while (lines[at] !== undefined && lines[at]?.text !== '') at++;
    const group = lines.slice(start, at++);
    const [first] = group;
    if (first === undefined) continue;
    if (first.text.startsWith('#')) {
      const stray = group.find((line) => !line.text.startsWith('#'));
      if (stray !== undefined) throw new ScenarioError(stray.number, 'a comment goes on without #');
      parts.push({ kind: 'prose', lines: group });
      continue;
    }
    const rule = group.findIndex((line) => line.text === '----');
    const end = rule < 0 ? group.length : rule;
    if (end === 0) throw new ScenarioError(first.number, 'there is no command above ----');
    const expected = group.slice(end + 1).map((line) => line.text);
    parts.push({ kind: 'block', block: { commands: group.slice(0, end), expected } });
  }
  return parts;
}

// --- the world ----------------------------------------------------------------------------------

function parseWorld([head, ...rest]: readonly Line[]): WorldOptions {
  const { number: line, text } = head as Line;
  const [, ...words] = text.split(/ +/);
  const settings = settingsOf(line, words, [
    'k',
    'happy',
    'n',
    'losable',
    'size',
    'format',
    'directory',
    'head',
    'seed',
    'deaf',
    'file',
  ]);
  const count = (key: string, byDefault: number) =>
    wholeNumber(line, key, settings.get(key), byDefault);
  const required = count('k', 2);
  const total = count('n', 3);
  const format = settings.get('format') ?? 'sdmf';
  if (format !== 'sdmf' && format !== 'mdmf') throw new ScenarioError(line, `format=${format}`);
  const servers: ServerSpec[] = [];
  const operations: OperationSpec[] = [];
  for (const { number, text: about } of rest) {
    const [, name, what = ''] = /^(\w+): ?(.*)$/.exec(about) ?? [];
    if (name === undefined) throw new ScenarioError(number, 'neither a server nor an operation');
    if (!/^s\d+$/.test(name)) operations.push(parseOperation(number, name, what));
    else if (name !== `s${servers.length}`) {
      throw new ScenarioError(number, `servers come in order: s${servers.length} is next`);
    } else servers.push(parseServer(number, what));
  }
  if (servers.length === 0) throw new ScenarioError(line, 'there are no servers');
  return {
    seed: count('seed', 0),
    format,
    isDirectory: settings.get('directory') === 'yes',
    encoding: { required, happy: count('happy', total), total },
    ...(settings.has('file') && {
      fileEncoding: fileEncoding(line, settings.get('file') as string),
    }),
    losable: count('losable', 0),
    size: count('size', 0),
    headLength: count('head', 4000),
    isDeaf: settings.get('deaf') === 'yes',
    servers,
    operations,
  };
}

function fileEncoding(line: number, text: string) {
  const [, required, total] = /^(\d+)of(\d+)$/.exec(text) ?? [];
  if (required === undefined) throw new ScenarioError(line, `file=${text} is not like 3of10`);
  return { required: Number(required), total: Number(total) };
}

function settingsOf(line: number, words: readonly string[], known: readonly string[]) {
  const settings = new Map<string, string>();
  for (const word of words) {
    const [key = '', value = 'yes'] = word.split('=');
    if (!known.includes(key)) throw new ScenarioError(line, `${key} is none of ${known.join(' ')}`);
    settings.set(key, value);
  }
  return settings;
}

function wholeNumber(line: number, key: string, text: string | undefined, byDefault: number) {
  if (text === undefined) return byDefault;
  if (!/^\d+$/.test(text)) throw new ScenarioError(line, `${key}=${text} is no whole number`);
  return Number(text);
}

function parseServer(line: number, text: string): ServerSpec {
  const words = text.split(/ +/).filter((word) => word !== '');
  const shares = words.filter((word) => word !== 'later').map((word) => parseShare(line, word));
  return { shares, joinsLater: words.includes('later') };
}

function parseShare(line: number, word: string): ShareSpec {
  const match = /^(\d+)(?:@v(\d+)([a-z])?)?(\?)?(?:!(\w+))?$/.exec(word);
  if (match === null) throw new ScenarioError(line, `${word} is no share`);
  const [, shnum, seqnum = '1', letter = 'a', foreign, field] = match;
  if (field !== undefined && !rotFields.includes(field as RotField)) {
    throw new ScenarioError(line, `${field} is none of ${rotFields.join(' ')}`);
  }
  return {
    shnum: Number(shnum),
    seqnum: Number(seqnum),
    series: letter.charCodeAt(0) - 'a'.charCodeAt(0),
    isForeign: foreign !== undefined,
    rot: field as RotField | undefined,
  };
}

const modes: readonly string[] = ['anything', 'read', 'write', 'check', 'repair'];
const ruleNames: readonly string[] = ['ours', 'fix2015', 'ticket'];

function parseOperation(line: number, name: string, text: string): OperationSpec {
  const [kind = '', ...words] = text.split(/ +/);
  const known = ['rule', 'client', 'size', 'force', 'attempts', 'offset', 'mode'];
  const settings = settingsOf(line, words, known);
  const rule = settings.get('rule');
  if (rule !== undefined && !ruleNames.includes(rule))
    throw new ScenarioError(line, `rule=${rule}`);
  return {
    name,
    task: parseTask(line, kind, settings),
    rule: rule as Rule | undefined,
    client: settings.get('client'),
    size: wholeNumber(line, 'size', settings.get('size'), 0),
    force: settings.get('force') === 'yes',
  };
}

function parseTask(line: number, kind: string, settings: ReadonlyMap<string, string>): Task {
  switch (kind) {
    case 'create':
    case 'overwrite':
    case 'read':
    case 'verify':
    case 'repair':
      return { kind };
    case 'call':
      return { kind, run: () => Promise.reject(new Error('no program is given')) };
    case 'append':
      return { kind, attempts: wholeNumber(line, 'attempts', settings.get('attempts'), 1) };
    case 'modify':
    case 'link':
      return { kind, attempts: wholeNumber(line, 'attempts', settings.get('attempts'), 4) };
    case 'update':
      return { kind, offset: wholeNumber(line, 'offset', settings.get('offset'), 0) };
    case 'map': {
      const mode = settings.get('mode') ?? 'check';
      if (!modes.includes(mode)) throw new ScenarioError(line, `mode=${mode}`);
      return { kind, mode: mode as Mode };
    }
    default:
      throw new ScenarioError(line, `${kind || 'nothing'} is no operation`);
  }
}

// --- playing ------------------------------------------------------------------------------------

/** How scenarios are played. */
export interface PlayOptions {
  /** What operations that say `call` do, by their names. */
  readonly programs?: Readonly<Record<string, Program>> | undefined;
  /** Of every operation, whatever the scenario says. */
  readonly rule?: Rule | undefined;
  /** Passes over commands that do not apply, and over expectations: for another rule. */
  readonly isLenient?: boolean | undefined;
}

/** A run of a scenario that was played. */
export interface Played {
  /** As it is at the end. */
  readonly world: World;
  /** What the properties say of it. */
  readonly watch: PropertyWatch;
  /** What came of each block. */
  readonly outputs: readonly (readonly string[])[];
}

/** @throws ScenarioError when a command does not apply or an expectation is not met */
export async function playRun(run: ScenarioRun, options: PlayOptions = {}): Promise<Played> {
  const { rule, programs = {}, isLenient = false } = options;
  const operations = run.options.operations.map((spec): OperationSpec => {
    const program = Object.hasOwn(programs, spec.name) ? programs[spec.name] : undefined;
    const task: Task = program === undefined ? spec.task : { kind: 'call', run: program };
    return { ...spec, task, ...(rule && { rule }) };
  });
  const world = await World.create({ ...run.options, operations });
  const watch = new PropertyWatch();
  const narrator = new Narrator();
  watch.see(world.trace);
  const outputs: (readonly string[])[] = [[...narrator.tell(world.trace, false)]];
  for (const { commands } of run.blocks.slice(1)) {
    const output: string[] = [];
    for (const command of commands) {
      const broken = new Set(watch.violations.map(({ id }) => id));
      const start = world.trace.length;
      try {
        const isBrief = await obey(world, watch, command);
        output.push(...narrator.tell(world.trace.slice(start), isBrief));
      } catch (error) {
        if (!isLenient || !(error instanceof ScenarioError)) throw error;
        output.push(`(${command.text}: not here)`);
      }
      for (const { id, because } of watch.violations) {
        if (!broken.has(id)) output.push(narrator.plain(`${id} VIOLATED: ${because}`));
      }
    }
    outputs.push(output);
  }
  return { world, watch, outputs };
}

/** Plays every run; the text of the file as it would have to be. */
export async function playScenario(
  scenario: Scenario,
  options: PlayOptions = {},
): Promise<{ readonly text: string; readonly runs: readonly Played[] }> {
  const runs: Played[] = [];
  for (const run of scenario.runs) runs.push(await playRun(run, options));
  const outputs = runs.flatMap((run) => run.outputs);
  const texts = scenario.parts.map((part) => {
    if (part.kind === 'prose') return part.lines.map(({ text }) => text);
    const commands = part.block.commands.map(({ text }) => text);
    const output = outputs.shift() ?? [];
    return output.length === 0 ? commands : [...commands, '----', ...output];
  });
  return { text: `${texts.map((lines) => lines.join('\n')).join('\n\n')}\n`, runs };
}

/** Does what a line says. @returns whether it was so much that only its outcome is worth telling */
async function obey(world: World, watch: PropertyWatch, { number, text }: Line): Promise<boolean> {
  const problem = (about: string) => new ScenarioError(number, about);
  if (text.startsWith('expect ')) {
    const unmet = expectation(world, watch, text.slice('expect '.length));
    if (unmet !== undefined) throw problem(unmet);
    return false;
  }
  const rest = /^deliver rest(?: (but|of) (.*))?$/.exec(text);
  if (rest !== null) {
    await deliverRest(world, watch, rest[1], new Set((rest[2] ?? '').split(/ +/)));
    return true;
  }
  const all = /^deliver all (.*)$/.exec(text)?.[1];
  if (all !== undefined) {
    const next = () => world.choices.find((choice) => isMeant(choice, 'deliver', all.split(/ +/)));
    if (next() === undefined) throw problem(`${text}: nothing like that is in flight`);
    for (let choice = next(); choice !== undefined; choice = next()) {
      watch.see(await world.choose(choice));
    }
    return true;
  }
  const [verb = '', ...words] = text.split(/ +/);
  const exact = world.choices.find(({ label }) => label === text);
  const meant = exact ? [exact] : world.choices.filter((choice) => isMeant(choice, verb, words));
  const operations = new Set(meant.map(({ operation }) => operation));
  if (meant.length === 0) throw problem(`${text}: nothing like that can happen now`);
  if (operations.size > 1) {
    throw problem(`${text}: whose? ${meant.map(({ label }) => label).join('; ')}`);
  }
  watch.see(await world.choose(meant[0] as Choice));
  return false;
}

async function deliverRest(
  world: World,
  watch: PropertyWatch,
  how: string | undefined,
  names: ReadonlySet<string>,
): Promise<void> {
  const isNamed = ({ server, operation }: Message) => names.has(server) || names.has(operation);
  const hasEnded = () =>
    world.operations.every(({ spec, status }) => !names.has(spec.name) || status !== 'running');
  const records =
    how === 'of'
      ? await runToEnd(world, isNamed, hasEnded)
      : await runToEnd(world, (message) => !isNamed(message));
  watch.see(records);
}

/** Whether the words are the beginning of the choice's label, with or without the operation. */
function isMeant({ label, operation }: Choice, verb: string, words: readonly string[]): boolean {
  const [own, ...all] = label.split(' ');
  if (own !== verb || words.length === 0) return false;
  const isStart = (of: readonly string[]) =>
    words.every((word, i) => of[i] === word || (word === '*' && of[i] !== undefined));
  return isStart(all) || (all[0] === operation && isStart(all.slice(1)));
}
