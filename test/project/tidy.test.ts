/**
 * @module tidy: the code base about itself (TigerBeetle's `tidy.zig`). What a linter cannot say.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import * as events from '../../machines/events.ts';
import { nodesOf, shippedCharts } from '../support/chart-lines.ts';
import { poorReport, versionOf, writeReport } from '../support/facts.ts';
import { holdsKey } from '../support/keys-in.ts';
import { assertPlain } from '../support/walk.ts';

const root = new URL('../..', import.meta.url);

/** The TypeScript files below `folder`, by path from the root. */
function filesIn(folder: string): readonly string[] {
  if (!existsSync(new URL(folder, root))) return [];
  return readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name) && !name.includes('node_modules'))
    .map((name) => `${folder}/${name}`);
}

const textOf = (file: string) => readFileSync(new URL(file, root), 'utf8');

const shipped = [...filesIn('machines'), ...filesIn('src')];
const all = [...shipped, ...filesIn('test'), ...filesIn('bench')];

describe('machines/', () => {
  test('imports xstate and its own files, and nothing else', () => {
    const imports = filesIn('machines').flatMap((file) =>
      ts
        .preProcessFile(textOf(file))
        .importedFiles.map(({ fileName }) => fileName)
        .filter((name) => name !== 'xstate' && !/^\.\/[a-z0-9.-]+\.ts$/.test(name))
        .map((name) => `${file}: ${name}`),
    );
    expect(imports).toEqual([]);
  });

  test('depends on no clock, no randomness and no environment', () => {
    const banned =
      /\b(Date|Math\.random|setTimeout|setInterval|performance|crypto|process)\b|\bfetch\(/;
    const offenders = filesIn('machines').filter((file) => {
      const code = textOf(file).replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
      return banned.test(code);
    });
    expect(offenders).toEqual([]);
  });

  test('has these charts, each under its own name', () => {
    expect(shippedCharts.map(([name, { id }]) => [name, id]).sort()).toEqual([
      ['blockReadMachine', 'blockRead'],
      ['downloadFileMachine', 'downloadFile'],
      ['historicUpdateMachine', 'servermapUpdate'],
      ['publishMachine', 'publish'],
      ['readFileMachine', 'readFile'],
      ['readVersionMachine', 'readVersion'],
      ['repairFileMachine', 'repairFile'],
      ['retrieveMachine', 'retrieve'],
      ['serverQueryMachine', 'serverQuery'],
      ['servermapUpdateMachine', 'servermapUpdate'],
      ['shareWriteMachine', 'shareWrite'],
      ['verifyFileMachine', 'verifyFile'],
      ['verifyImmutableMachine', 'verifyImmutable'],
      ['writeFileMachine', 'writeFile'],
    ]);
  });

  test.each(shippedCharts)(
    '%s and each of its states says what it is, in one sentence',
    (_, chart) => {
      const mute = nodesOf(chart.root as never)
        .filter(({ description }) => !/^[A-Z].*\.$/.test(description ?? ''))
        .map(({ id, description }) => `${id}: ${description}`);
      expect(mute).toEqual([]);
    },
  );

  test.each(shippedCharts)('%s is two levels deep at most', (_, chart) => {
    const depths = nodesOf(chart.root as never).map(
      (node) => (node as never as { path: [] }).path.length,
    );
    expect(Math.max(...depths)).toBeLessThanOrEqual(2);
  });

  test('every event is JSON', () => {
    const version = versionOf(1);
    const samples: Readonly<Record<keyof typeof events, object>> = {
      serverAnswered: events.serverAnswered('s0', [0, 1]),
      serverSettled: events.serverSettled(poorReport('s0', 'empty')),
      shareJudged: events.shareJudged(0, { kind: 'good', version: version.id }, { version }),
      writeSettled: events.writeSettled(writeReport('s0', 'failed')),
      blocksSettled: events.blocksSettled({ server: 's', shnum: 0, status: 'held', failure: null }),
      operationCancel: events.operationCancel(),
    };
    expect(Object.keys(samples).sort()).toEqual(Object.keys(events).sort());
    for (const [name, event] of Object.entries(samples)) {
      assertPlain(event, name);
      expect(JSON.parse(JSON.stringify(event))).toEqual(event);
    }
    const bare = events.shareJudged(0, { kind: 'unverified', reason: 'x' });
    expect(JSON.parse(JSON.stringify(bare))).toEqual(bare);
  });

  test('the judge of what is plain is strict', () => {
    for (const value of [undefined, 1n, Number.NaN, new Map(), new Uint8Array(1), () => 1]) {
      expect(() => assertPlain({ a: [value] })).toThrowError(/^context\.a\[0\] is /);
    }
    expect(() => assertPlain({ a: [1, 'x', null, true, { b: {} }] })).not.toThrow();
  });
});

describe('budgets', () => {
  test('a file has at most 600 lines, a chart at most 400', () => {
    const long = all.filter((file) => {
      const max = file.endsWith('.machine.ts') ? 400 : 600;
      return textOf(file).split('\n').length - 1 > max;
    });
    expect(long).toEqual([]);
  });

  test('a line of machines/ has at most 100 columns', () => {
    const wide = filesIn('machines').flatMap((file) =>
      textOf(file)
        .split('\n')
        .flatMap((line, i) => ([...line].length > 100 ? [`${file}:${i + 1}`] : [])),
    );
    expect(wide).toEqual([]);
  });

  /** Functions that are longer for a reason, which is told here. */
  const tolerated: Readonly<Record<string, string>> = {};

  test('a function that ships has at most 60 lines', () => {
    const long: string[] = [];
    for (const file of shipped) {
      const source = ts.createSourceFile(file, textOf(file), ts.ScriptTarget.Latest, true);
      const visit = (node: ts.Node): void => {
        if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined) {
          const lineOf = (at: number) => source.getLineAndCharacterOfPosition(at).line;
          const first = lineOf(node.getStart());
          const name = `${file}: ${node.name?.getText() ?? first + 1}`;
          if (lineOf(node.end) - first + 1 > 60) long.push(name);
        }
        ts.forEachChild(node, visit);
      };
      visit(source);
    }
    expect(long).toEqual(Object.keys(tolerated));
  });
});

describe('no key is published', () => {
  test('in what ships, and in what the page is made of', () => {
    const published = [...shipped, ...filesIn('visualizer/src'), ...filesIn('inspect-v4/src')];
    expect(published.filter((file) => holdsKey(textOf(file)))).toEqual([]);
    // The tests have one; what is published takes nothing from there.
    expect(holdsKey(textOf('test/vectors/ssk-caps.json'))).toBe(true);
    const isOfTests = (file: string) => /from '[./]+\/test\//.test(textOf(file));
    expect(published.filter(isOfTests)).toEqual([]);
  });
});

describe('habits', () => {
  test('a file that ships says at its top what it is', () => {
    const header = /^(#!.*\n)?\/\*\*\n \* @module /;
    const mute = shipped.filter((file) => !file.endsWith('.d.ts') && !header.test(textOf(file)));
    expect(mute).toEqual([]);
  });

  test('no test runs alone, and none is skipped', () => {
    const marked = filesIn('test').filter((file) =>
      /\b(test|it|describe)\.(only|skip|todo)\b/.test(textOf(file)),
    );
    expect(marked).toEqual([]);
  });

  test('every error says when it is thrown', () => {
    const text = textOf('src/errors.ts');
    const classes = [...text.matchAll(/^export (?:abstract )?class (\w+)/gm)];
    expect(classes.length).toBeGreaterThan(10);
    const mute = classes.filter(({ index }) => !text.slice(0, index).endsWith('*/\n'));
    expect(mute.map(([, name]) => name)).toEqual([]);
  });
});
