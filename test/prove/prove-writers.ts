/**
 * @module prove-writers: the part of the proof about several writers, printed as it is counted.
 */
import { say, Table, withBar } from './show.ts';
import type { WritersModel } from './writer.ts';
import { explore, type Finding, type Findings } from './writers.ts';
import {
  agreement,
  alonePoints,
  closedForms,
  fullModifyPoints,
  fullPoints,
  grownPoints,
  kernelForms,
  modifyPoints,
  perCommitPoints,
  pointModel,
} from './writers-forms.ts';

function nameOf({ servers, required, reads, writes }: WritersModel): string {
  return `${servers} ${required} ${reads} ${writes}`;
}

function explored(model: WritersModel): Findings {
  return withBar(`writers, ${nameOf(model)}`, () => explore(model));
}

const columns: readonly (readonly [string, number])[] = [
  ['S k R W', 7],
  ['N', 2],
  ['writers', 7],
  ['newer', 7],
  ['states', 9],
  ['transitions', 11],
  ['fork', 4],
  ['lost update', 11],
  ['hidden', 6],
  ['unreadable', 13],
];

function cellsOf(model: WritersModel, { states, transitions, fatal, traces }: Findings) {
  const has = (finding: Finding) => (traces[finding] === undefined ? '-' : 'yes');
  const newer = model.ignoresNewer ? 'ignored' : 'refused';
  const lost = fatal === 0 ? 'yes' : `${fatal} server${fatal === 1 ? '' : 's'}`;
  return [
    ...[nameOf(model), model.total, model.writers, newer, states, transitions],
    ...[has('fork'), has('lostUpdate'), has('hidden'), lost],
  ];
}

/** @returns whether what was met at every point is what the forms say */
export function proveWriters(isFull: boolean): boolean {
  say(
    'Two of overwrite, every interleaving, each led by the shipped kernels; either may die anywhere',
  );
  say(
    'and any servers may be out of its reach. S servers, k shares, R answers to a look, W servers',
  );
  say(
    'for an acknowledged write. A newer version that can not be read is looked for twice, and then',
  );
  say(
    'refused, or ignored (force). Hidden is an acknowledged version that a reader of every server',
  );
  say(
    'is not given. Unreadable says how many servers it takes to lose, in the worst world, until no',
  );
  say('version is left.');
  say();
  const table = new Table([...columns, ['as the forms', 12]]);
  const models = [
    ...[...perCommitPoints, ...(isFull ? fullPoints : [])].flatMap((point) => [
      pointModel(point),
      pointModel(point, { ignoresNewer: true }),
    ]),
    ...grownPoints.map((point) => pointModel(point, { total: point[0] - 1 })),
    ...alonePoints.map((point) => pointModel(point, { writers: 1 })),
  ];
  let isFine = true;
  for (const model of models) {
    const findings = explored(model);
    const agrees = agreement(model, findings);
    table.row([...cellsOf(model, findings), agrees]);
    isFine &&= agrees !== 'no';
  }
  return isFine;
}

/** @returns whether all was met that is known to happen, and nothing else */
export function proveModify(isFull: boolean): boolean {
  say(
    'Two of modify: told that somebody else is writing, each maps again, takes its base from the',
  );
  say('new map and tries again. R = S: every server answers. R < S: S - R of them may be silent.');
  say();
  const more = ['tries', 'own change met', 'as known'] as const;
  const table = new Table([...columns, ...more.map((name) => [name, name.length] as const)]);
  let isFine = true;
  for (const { model, expected } of [...modifyPoints, ...(isFull ? fullModifyPoints : [])]) {
    const findings = explored(model);
    const met = Object.keys(findings.traces).sort().join();
    const isKnown = met === [...expected].sort().join();
    const ownMet = findings.traces.twice === undefined ? '-' : 'yes';
    table.row([...cellsOf(model, findings), model.attempts, ownMet, isKnown ? 'yes' : 'no']);
    isFine &&= isKnown;
  }
  return isFine;
}

const findingNames: Readonly<Record<Finding, string>> = {
  fork: 'two were told "published", and neither had built on the other\'s version',
  lostUpdate: 'one was told "published" without what had been acknowledged before it began',
  unrecoverable: 'no version can be read',
  hidden: 'a reader of every server is given a version without an acknowledged one',
  falseAlarm: 'one was told "uncoordinated" before any other had written',
  shortAck: 'one was told "published" with fewer than W servers holding its version',
  twice: 'one was told "published" that had built on an earlier attempt of its own',
};

/** One point, as a table row and a shortest trace of everything that was met there; or as JSON. */
export function showPoint(model: WritersModel, isJson: boolean): boolean {
  const start = performance.now();
  const findings = explored(model);
  const seconds = Number(((performance.now() - start) / 1000).toFixed(1));
  const agrees = model.attempts === 1 && model.losses === 0 ? agreement(model, findings) : null;
  if (isJson) {
    const forms = { protocol: closedForms(model), kernel: kernelForms(model) };
    say(JSON.stringify({ ...model, ...findings, forms, agrees, seconds }));
    return agrees !== 'no';
  }
  const table = new Table([...columns, ['as the forms', 12]]);
  table.row([...cellsOf(model, findings), agrees ?? '']);
  for (const [finding, lines] of Object.entries(findings.traces)) {
    say();
    say(`${findingNames[finding as Finding]}: ${lines.length} steps`);
    lines.forEach((line, i) => {
      say(`${String(i + 1).padStart(4)}. ${line}`);
    });
  }
  if (Object.keys(findings.traces).length > 0) {
    say(
      '      (o the first version; a, b their first attempts; A, B the second; a row per server)',
    );
  }
  return agrees !== 'no';
}
