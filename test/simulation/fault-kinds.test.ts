/**
 * Every kind of fault earns its place: for each there is a mistake in the engine that a schedule
 * with this fault reveals, and the same schedule without it does not. The engine as it is passes
 * both.
 */
import { describe, expect, test } from 'vitest';
import { type FaultKind, faultKinds } from '../../src/simulation/faults.ts';
import type { OperationSpec, WorldOptions } from '../../src/simulation/world.ts';
import { type Edit, simulationWith } from '../support/mutants.ts';

interface Effect {
  readonly fault: FaultKind;
  /** The fault's labels, if they do not begin with its name. */
  readonly verb?: string;
  readonly mistake: readonly Edit[];
  /** The property that it breaks. */
  readonly breaks: string;
  readonly world?: Partial<WorldOptions>;
  readonly labels: readonly string[];
}

const last: OperationSpec = { name: 'last', task: { kind: 'read' } };
const overwrite = (name: string): OperationSpec => ({ name, task: { kind: 'overwrite' } });
const modify = (name: string): OperationSpec => ({ name, task: { kind: 'modify' } });
const two = [overwrite('w1'), overwrite('w2'), last];

const layout: WorldOptions = {
  encoding: { required: 2, happy: 3, total: 3 },
  servers: [{ shares: [0] }, { shares: [1] }, { shares: [2] }, {}],
  operations: [overwrite('w1'), last],
};

const three = layout.servers.slice(0, 3);

/** An operation is started, and its map is made: `slots` have shares, `empty` servers do not. */
const maps = (name: string, places = 's0:0 s1:1 s2:2', empty = 's3') => [
  `start ${name}`,
  ...`${places} ${empty}`.split(' ').map((place) => `deliver ${name} ${place.split(':')[0]} list`),
  ...places.split(' ').map((place) => {
    const [server, shnum] = place.split(':');
    return `deliver ${name} ${server} read sh${shnum} head`;
  }),
];

const writes = (name: string, places = 's0:0 s1:1 s2:2') =>
  places.split(' ').map((place) => {
    const [server, shnum] = place.split(':');
    return `deliver ${name} ${server} write sh${shnum}`;
  });

// --- mistakes -----------------------------------------------------------------------------------

const shareWrite = 'machines/share-write.machine.ts';
const publishKernel = 'machines/publish-kernel.ts';
const failure = 'src/runtime/failure.ts';

/** What was given up is never waited for by a clock. */
const noDeadline: readonly Edit[] = [
  {
    file: 'machines/server-query.machine.ts',
    from: 'context.deadlines.queryMs',
    to: '1e12 * context.deadlines.queryMs',
  },
  { file: shareWrite, from: 'context.deadlines.writeMs', to: '1e12 * context.deadlines.writeMs' },
  { file: 'src/runtime/pace.ts', from: 'patienceMinMs = 1000', to: 'patienceMinMs = 1e12' },
  { file: 'src/runtime/pace.ts', from: 'minMs: 250', to: 'minMs: 1e12' },
];
/** A write whose answer was lost was not done. */
const lostMeansUndone: readonly Edit[] = [
  {
    file: shareWrite,
    from: 'share.shnum === shnum && share.checkstring === checkstring',
    to: "share.shnum === shnum && share.checkstring === 'x'",
  },
  {
    file: shareWrite,
    from: 'isUntouched: ({ context }, result: RereadResult) => allPass(context.tests, seenIn(result)),',
    to: 'isUntouched: (_, result: RereadResult) => result.ok,',
  },
];
/** Our own share in a slot is somebody else's. */
const ownIsForeign: readonly Edit[] = [
  {
    file: publishKernel,
    from: '    isOf(share, version) ||\n    known.has',
    to: '    known.has',
  },
];
/** What fails by such an error is corrupt. */
const alsoCorrupt = (type: string): readonly Edit[] => [
  {
    file: failure,
    from: '    error instanceof BadContainerError\n',
    to: `    error instanceof BadContainerError || error instanceof ${type}\n`,
  },
];
const slowIsCorrupt = alsoCorrupt('DOMException');
const lostIsCorrupt = alsoCorrupt('ServerUnavailableError');
const absentIsCorrupt = alsoCorrupt('NoSuchShareError');
/** Blocks are used as they come. */
const blocksUnchecked: readonly Edit[] = [
  {
    file: 'src/runtime/block-checks.ts',
    from: 'this.#verifier.acceptBlock(input.shnum, firstSegment + i, block, salt, nodes);',
    to: 'void [block, salt];',
  },
];
/** Whoever has written one share has written all. */
const oneIsAll: readonly Edit[] = [
  { file: shareWrite, from: 'telling.every(isThere)', to: 'telling.some(isThere)' },
];
/** Any share that is not what was expected is another writer's, and ends its server. */
const staleIsForeign: readonly Edit[] = [
  { file: publishKernel, from: '    known.has(share.version) ||\n', to: '' },
  { file: publishKernel, from: 'const attemptsMax = 4;', to: 'const attemptsMax = 1;' },
];
/** Whatever a server shows is believed. */
const claimsAreProof: readonly Edit[] = [
  {
    file: shareWrite,
    from: 'claimsOf(context, seenIn(result)).length > 0',
    to: 'claimsOf(context, seenIn(result)).length < 0',
  },
  { file: publishKernel, from: "    share.kind === 'bad' ||\n", to: '' },
];
/** The chart takes an end for another one. */
const endsAs = (guard: string, from: string, to: string): readonly Edit[] => {
  const found = `guard: { type: '${guard}', params: ({ event }) => event.output },\n            target: `;
  return [{ file: shareWrite, from: `${found}'${from}'`, to: `${found}'${to}'` }];
};
const noNeed = endsAs('isRefusal', 'refused', 'accepted');
const errorIsSuccess = endsAs('isNotSent', 'failed', 'accepted');
/** Nobody can say, so it was done. */
const lostIsSuccess = endsAs('isUnreadable', 'unknown', 'accepted');
/** Whoever says yes has written, whatever it shows. */
const yesIsYes: readonly Edit[] = [
  {
    file: shareWrite,
    from: 'result.wrote && !allPass(context.tests, result.seen)',
    to: 'result.wrote && allPass(context.tests, result.seen) === null',
  },
];
/** Nobody can say, so it was not done. */
const unknownIsUndone: readonly Edit[] = [
  {
    file: shareWrite,
    from: "      entry: { type: 'reportSettled', params: 'unknown' },",
    to: "      entry: { type: 'reportSettled', params: 'failed' },",
  },
];
/** Every known slot is thought to hold the base. */
const oneTestForAll: readonly Edit[] = [
  {
    file: publishKernel,
    from: '(map.versions[version] as Version).checkstring',
    to: '(bestVersion(map) as Version).checkstring',
  },
  { file: publishKernel, from: '  highestSeqnum,\n', to: '  bestVersion,\n  highestSeqnum,\n' },
];
const homelessStay: readonly Edit[] = [
  {
    file: publishKernel,
    from: 'range(total).filter((shnum) => !homes.has(shnum))',
    to: 'range(total).filter((shnum) => homes.has(shnum) && false)',
  },
];
/** The next number is one more than that of the base. */
const baseIsNewest: readonly Edit[] = [
  {
    file: publishKernel,
    from: ': highestSeqnum(map) + 1',
    to: ': (plan.base?.seqnum ?? 0) + 1',
  },
];
/** The base is written over before k shares of the new version are there. */
const baseIsSpare: readonly Edit[] = [
  {
    file: publishKernel,
    from: 'return sharesOf(map, base.id).size >= total &&',
    to: 'return true || sharesOf(map, base.id).size >= total &&',
  },
];
const signatureUnchecked: readonly Edit[] = [
  {
    file: 'src/share/signatures.ts',
    from: '    const key = await',
    to: '    if (signature.length >= 0) return new Uint8Array(32);\n    const key = await',
  },
];
/** No chain is led to the root: that would find a damaged root too. */
const numberUnchecked: readonly Edit[] = [
  {
    file: 'src/runtime/map-servers.ts',
    from: '    await judgeNumber(reader, header, shnum, wants);',
    to: '    void judgeNumber;',
  },
];
const anyFormat: readonly Edit[] = [
  {
    file: 'src/share/header.ts',
    from: 'const format = formats[version];',
    to: "const format = formats[version] ?? 'sdmf';",
  },
];
/** Copies of one share count twice. */
const copiesCount: readonly Edit[] = [
  {
    file: 'machines/servermap.ts',
    from: 'return new Set(shnums).size >= version.required;',
    to: 'return shnums.length >= version.required;',
  },
];
/** A server is done with when the first of its shares is. */
const firstShareIsEnough: readonly Edit[] = [
  {
    file: 'machines/server-query.machine.ts',
    from: 'context.judged.length === context.shnums.length',
    to: 'context.judged.length > 0',
  },
];
/** A read ends at its first corrupt share. */
const oneBadSpoilsAll: readonly Edit[] = [
  {
    file: 'machines/retrieve-kernel.ts',
    from: 'if (missing > usable.length)',
    to: "if (record.sources.some(({ status }) => status === 'corrupt'))",
  },
  {
    file: 'machines/read-version-kernel.ts',
    from: "if (!record.hasAskedAll) return { kind: 'remap' };",
    to: '',
  },
];
const cancelIgnored: readonly Edit[] = [
  {
    file: 'machines/write-file.machine.ts',
    from: "  on: { 'operation.cancel': '.cancelled' },\n",
    to: '',
  },
];

const effects: readonly Effect[] = [
  {
    fault: 'arrive',
    mistake: lostMeansUndone,
    breaks: 'Q6',
    labels: [...maps('w1'), 'arrive w1 s0 write sh0', 'reset w1 s0 write sh0'],
  },
  { fault: 'drop', mistake: noDeadline, breaks: 'U9', labels: ['start w1', 'drop w1 s0 list'] },
  {
    fault: 'reset',
    mistake: lostIsCorrupt,
    breaks: 'U7',
    world: { headLength: 123 },
    labels: [
      ...['start w1', 'deliver w1 s0 list', 'deliver w1 s0 read sh0 head'],
      'reset w1 s0 read sh0 signature',
    ],
  },
  {
    fault: 'duplicate',
    mistake: ownIsForeign,
    breaks: 'Q6',
    labels: [
      ...maps('w1'),
      'duplicate w1 s0 write sh0',
      'arrive w1 s0 write sh0',
      'deliver w1 s0 write sh0 #2',
    ],
  },
  {
    fault: 'delay',
    mistake: slowIsCorrupt,
    breaks: 'U7',
    labels: [
      ...['start w1', 'deliver w1 s0 list', 'delay w1 s0 read sh0 head'],
      'deliver w1 s0 read sh0 head',
      ...maps('w1', 's1:1 s2:2'),
      'advance',
    ],
  },
  {
    fault: 'garble',
    mistake: blocksUnchecked,
    breaks: 'T3',
    world: { headLength: 123, operations: [{ name: 'r1', task: { kind: 'read' } }, last] },
    labels: [
      'start r1',
      ...['s0', 's1', 's2', 's3'].map((server) => `deliver r1 ${server} list`),
      ...['s0 read sh0', 's1 read sh1', 's2 read sh2'].flatMap((read) =>
        ['head', 'key', 'signature'].map((field) => `deliver r1 ${read} ${field}`),
      ),
      'garble r1 s0 read sh0 blocks',
    ],
  },
  {
    fault: 'hide',
    mistake: staleIsForeign,
    breaks: 'Q4',
    world: { servers: three },
    labels: ['start w1', 'hide w1 s0 list'],
  },
  {
    fault: 'invent',
    mistake: absentIsCorrupt,
    breaks: 'U7',
    labels: ['start w1', 'invent w1 s0 list'],
  },
  {
    fault: 'partition',
    mistake: noDeadline,
    breaks: 'U9',
    labels: ['start w1', 'partition s0', ...maps('w1').slice(1), ...writes('w1'), 'advance'],
  },
  {
    fault: 'mute',
    mistake: unknownIsUndone,
    breaks: 'Q6',
    labels: [
      ...maps('w1'),
      'mute s0',
      'deliver w1 s0 write sh0',
      'arrive w1 s0 write sh0',
      ...writes('w1'),
      ...['advance', 'advance', 'advance'],
    ],
  },
  {
    fault: 'cut',
    mistake: noDeadline,
    breaks: 'U9',
    labels: ['start w1', 'cut w1 s0', ...maps('w1').slice(1), ...writes('w1'), 'advance'],
  },
  {
    fault: 'fail',
    mistake: errorIsSuccess,
    breaks: 'Q5',
    labels: [...maps('w1'), 'fail w1 s0 write sh0', ...writes('w1')],
  },
  {
    fault: 'tear',
    mistake: oneIsAll,
    breaks: 'Q5',
    world: { servers: [{ shares: [0, 1] }, { shares: [2] }, {}] },
    labels: [...maps('w1', 's0:0 s0:1 s1:2', 's2'), 'tear w1 s0 write sh0 sh1'],
  },
  {
    fault: 'deny',
    mistake: noNeed,
    breaks: 'Q5',
    labels: [...maps('w1'), 'deny w1 s0 write sh0', ...writes('w1')],
  },
  {
    fault: 'belie',
    mistake: claimsAreProof,
    breaks: 'V1',
    world: { servers: three },
    labels: [...maps('w1'), 'belie w1 s0 write sh0', ...writes('w1')],
  },
  {
    fault: 'feign',
    mistake: yesIsYes,
    breaks: 'V2',
    world: { operations: two },
    labels: [
      ...[...maps('w1'), ...maps('w2'), ...writes('w2')],
      ...['feign w1 s0 write sh0', ...writes('w1')],
    ],
  },
  {
    fault: 'crash',
    mistake: lostIsSuccess,
    breaks: 'Q5',
    labels: [...maps('w1'), 'crash s0', ...writes('w1')],
  },
  {
    fault: 'restart',
    mistake: oneTestForAll,
    breaks: 'Q3',
    world: { operations: two },
    labels: [
      'crash s0',
      ...maps('w1'),
      ...writes('w1', 's2:1 s3:0 s1:1 s2:2'),
      'restart s0',
      ...maps('w2', 's0:0 s1:1 s2:1 s2:2 s3:0', ''),
    ],
  },
  {
    fault: 'rollback',
    mistake: oneTestForAll,
    breaks: 'Q3',
    world: { operations: two },
    labels: [
      ...[...maps('w1'), ...writes('w1')],
      ...['crash s0', 'rollback s0', 'restart s0'],
      ...maps('w2'),
    ],
  },
  {
    fault: 'join',
    mistake: oneTestForAll,
    breaks: 'Q3',
    world: { servers: [...layout.servers, { shares: [0], joinsLater: true }], operations: two },
    labels: [...[...maps('w1'), ...writes('w1')], 'join s4', ...maps('w2', 's0:0 s1:1 s2:2 s4:0')],
  },
  {
    fault: 'leave',
    mistake: homelessStay,
    breaks: 'Q2',
    world: { encoding: { required: 1, happy: 2, total: 3 }, servers: three },
    labels: ['leave s0', ...maps('w1', 's0:0 s1:1 s2:2', '')],
  },
  {
    fault: 'rot',
    mistake: signatureUnchecked,
    breaks: 'U11',
    labels: ['rot s0 sh0 signature', ...maps('w1')],
  },
  {
    fault: 'truncate',
    mistake: oneBadSpoilsAll,
    breaks: 'T2',
    world: { size: 20000, headLength: 500 },
    labels: ['truncate s0 sh0', 'start last'],
  },
  {
    fault: 'delete',
    mistake: homelessStay,
    breaks: 'Q2',
    world: { encoding: { required: 1, happy: 2, total: 3 } },
    labels: ['delete s0 sh0', ...maps('w1')],
  },
  {
    fault: 'stale',
    mistake: oneTestForAll,
    breaks: 'Q3',
    world: { operations: two },
    labels: [...maps('w1'), ...writes('w1'), 'stale s0 sh0', ...maps('w2')],
  },
  {
    fault: 'newer',
    mistake: baseIsNewest,
    breaks: 'Q7',
    labels: ['newer s0 sh0', ...maps('w1')],
  },
  {
    fault: 'alien',
    mistake: [...anyFormat, ...signatureUnchecked],
    breaks: 'U11',
    labels: ['alien s0 sh0', ...maps('w1')],
  },
  {
    fault: 'copy',
    mistake: copiesCount,
    breaks: 'U2',
    world: { servers: [{ shares: [0] }, {}, {}, {}, {}] },
    labels: ['copy s0 sh0 s1', ...maps('w1', 's0:0 s1:0', 's2 s3')],
  },
  {
    fault: 'move',
    mistake: firstShareIsEnough,
    breaks: 'U6',
    labels: ['move s1 sh1 s0', ...maps('w1', 's0:0 s2:2', 's1 s3')],
  },
  {
    fault: 'kill',
    mistake: baseIsSpare,
    breaks: 'A3',
    world: { operations: two },
    labels: [
      ...[...maps('w1'), 'deliver w1 s0 write sh0', 'kill w1'],
      ...['drop w1 s1 write sh1', 'drop w1 s2 write sh2'],
      ...[...maps('w2'), 'deliver w2 s1 write sh1'],
    ],
  },
  {
    fault: 'cancel',
    mistake: cancelIgnored,
    breaks: 'U12',
    labels: ['start w1', 'cancel w1', 'deliver w1 s0 list'],
  },
  {
    fault: 'jump',
    mistake: noDeadline,
    breaks: 'U9',
    labels: ['start w1', 'jump'],
  },
  {
    fault: 'heal',
    mistake: oneTestForAll,
    breaks: 'Q3',
    world: { operations: [overwrite('w1'), modify('w2')] },
    labels: [
      'crash s0',
      ...maps('w1'),
      ...writes('w1', 's2:1 s3:0 s1:1 s2:2'),
      'heal',
      ...maps('w2', 's0:0 s1:1 s2:1 s2:2 s3:0', ''),
    ],
  },
];

/** A private key that does not open spoils its share. */
const keySpoilsShare: readonly Edit[] = [
  {
    file: 'src/runtime/private-key.ts',
    from: "import { ShareReader } from '../share/reader.ts';",
    to:
      "import { CorruptShareError } from '../errors.ts';\n" +
      "import { ShareReader } from '../share/reader.ts';",
  },
  {
    file: 'src/runtime/private-key.ts',
    from: '  if (pkcs8 === undefined) return undefined;',
    to: "    if (pkcs8 === undefined) throw new CorruptShareError('x', 'y');",
  },
  {
    file: 'src/runtime/private-key.ts',
    from: '  } catch {\n    return false;\n  }',
    to: '  } catch (error) {\n    throw error;\n  }',
  },
];
/** An update in place signs what it finds. */
const treesUnchecked: readonly Edit[] = [
  {
    file: 'src/runtime/update-in-place.ts',
    from: 'check.admitNodes(\n            holding.shnum,\n            chain,\n            nodes.map((node) => [node, tree(node)]),\n          );',
    to: 'void [check, chain];',
  },
  {
    file: 'src/share/update-trees.ts',
    from: 'if (equalBytes(buildHashTree(roots)[0] as Uint8Array, rootHash)) return;',
    to: 'if (equalBytes(buildHashTree(roots)[0] as Uint8Array, rootHash) || true) return;',
  },
];
const inPlace: Partial<WorldOptions> = {
  format: 'mdmf',
  size: 300_000,
  operations: [{ name: 'w1', task: { kind: 'update', offset: 200_000 } }, last],
};

/**
 * What rot can hit, field by field; the offsets and the hash chain have no mistake of their own.
 */
const rotEffects: readonly (Omit<Effect, 'fault'> & { readonly field: string })[] = [
  ...['prefix', 'key', 'signature'].map((field) => ({
    ...{ field, mistake: [...signatureUnchecked, ...numberUnchecked], breaks: 'U11' },
    labels: [`rot s0 sh0 ${field}`, ...maps('w1')],
  })),
  {
    ...{ field: 'privkey', mistake: keySpoilsShare, breaks: 'U7' },
    labels: ['rot s0 sh0 privkey', ...maps('w1')],
  },
  {
    ...{ field: 'blocks', mistake: blocksUnchecked, breaks: 'T3' },
    labels: ['rot s0 sh0 blocks', 'start last'],
  },
  {
    ...{ field: 'tree', mistake: treesUnchecked, breaks: 'Q8', world: inPlace },
    labels: ['rot s0 sh0 tree', ...maps('w1')],
  },
];

describe('each kind of fault reveals a mistake that hides without it', () => {
  test('every kind is here', () => {
    expect(effects.map(({ fault }) => fault).sort()).toEqual([...faultKinds].sort());
  });

  test.each(effects)('$fault: $breaks', async ({ fault, ...effect }) => {
    await expectEffect(effect, fault);
  });

  test.each(rotEffects)('rot of $field: $breaks', async (effect) => {
    await expectEffect(effect, 'rot');
  });
});

async function expectEffect(
  { mistake, breaks, world, labels }: Omit<Effect, 'fault'>,
  fault: FaultKind,
): Promise<void> {
  const options = { ...layout, ...world };
  const without = labels.filter((label) => label.split(' ')[0] !== fault);
  const asItIs = await simulationWith([]);
  const wrong = await simulationWith(mistake);
  const broken = async (simulation: typeof asItIs, path: readonly string[]) => {
    const { violations } = await simulation.runLabels(options, path);
    return violations.map(({ id }) => id);
  };
  expect({
    wrongWith: await broken(wrong, labels),
    wrongWithout: await broken(wrong, without),
    rightWith: await broken(asItIs, labels),
  }).toEqual({
    wrongWith: expect.arrayContaining([breaks]),
    wrongWithout: [],
    rightWith: [],
  });
}
