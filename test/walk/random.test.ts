/**
 * @module random: trees of all shapes, with circles, links of one object under many names, entries that
 * lead nowhere and directories that cannot be read; beside a walk that is as simple as its rules.
 *
 * A failing run prints its seed; `WALK_SEED=<seed>` plays it again.
 */
import { expect, test } from 'vitest';
import type { Child } from '../../src/directory/child.ts';
import type { Directory } from '../../src/directory.ts';
import { withHidden } from '../../src/hidden.ts';
import { Prng } from '../../src/simulation/prng.ts';
import type { Met } from '../../src/walk/met.ts';
import { recordOf } from '../../src/walk/record.ts';
import { Tree, type TreeSetting } from '../../src/walk/tree.ts';

const seed = Number(process.env.WALK_SEED ?? Date.now() % 2 ** 31);
const trees = 60;

function child(name: string | undefined, kind: Child['kind'], to: string, isShadowed = false) {
  const hasCap = kind === 'file' || kind === 'directory';
  const about = { mutable: true, format: 'sdmf', size: undefined, metadata: {} } as const;
  const shown = { name, kind, ...about, problem: undefined, isShadowed };
  const caps = hasCap ? { read: to, verify: `URI:SSK-Verifier:${to}:` } : {};
  return withHidden(shown, 'caps', to === 'lit' ? { read: to } : caps);
}

/** What is in each of a few directories; null in one that cannot be read. */
function randomTree(prng: Prng): ReadonlyMap<string, readonly Child[] | null> {
  const names = ['a', 'b', 'B', 'é', '～', '😀', 'a/b', ''];
  const count = 1 + prng.below(7);
  const directories = Array.from({ length: count }, (_, i) => `d${i}`);
  const entry = (): Child => {
    const name = prng.chance(0.05) ? undefined : prng.pick(names);
    if (name === undefined || prng.chance(0.1)) return child(name, 'ill-formed', '');
    if (prng.chance(0.1)) return child(name, 'unknown', '');
    if (prng.chance(0.2)) return child(name, 'file', 'lit');
    if (prng.chance(0.3)) return child(name, 'file', `f${prng.below(5)}`);
    return child(name, 'directory', prng.pick(directories));
  };
  const contents = () => {
    if (prng.chance(0.1)) return null;
    const all = Array.from({ length: prng.below(9) }, entry);
    return all.map((it, i) => {
      const isShadowed =
        it.name !== undefined && all.slice(i + 1).some(({ name }) => name === it.name);
      return child(it.name, it.kind, it.caps.read ?? '', isShadowed);
    });
  };
  return new Map(directories.map((name) => [name, contents()]));
}

const keyOf = ({ name = '' }: Child) => Buffer.from(name).toString('hex');
const phaseOf = ({ kind, isShadowed }: Child) =>
  isShadowed ? 0 : ['file', 'directory'].indexOf(kind) + 1;

/** The rules, and nothing ahead of time. */
function expected(tree: ReadonlyMap<string, readonly Child[] | null>): readonly string[] {
  const lines: string[] = [];
  const seen = new Set(['d0']);
  const go = (name: string, path: readonly string[]): void => {
    const children = tree.get(name);
    lines.push(`${JSON.stringify(path)} directory${children === null ? ' unread' : ''}`);
    const sorted = [...(children ?? [])].sort(
      (a, b) => phaseOf(a) - phaseOf(b) || (keyOf(a) < keyOf(b) ? -1 : Number(keyOf(a) > keyOf(b))),
    );
    const fresh = sorted.filter(({ caps, isShadowed }) => {
      if (isShadowed || caps.verify === undefined) return true;
      return !seen.has(caps.read!) && seen.add(caps.read!);
    });
    for (const it of fresh) {
      const below = [...path, it.name ?? ''];
      if (phaseOf(it) === 2) go(it.caps.read!, below);
      else lines.push(`${JSON.stringify(below)} ${it.isShadowed ? 'ill-formed' : it.kind}`);
    }
  };
  go('d0', []);
  return lines;
}

const shown = ({ path, kind, error }: Met) =>
  `${JSON.stringify(path)} ${kind}${error === undefined ? '' : ' unread'}`;

test(`${trees} trees are walked by the rules, from the beginning and from any place (seed ${seed})`, async () => {
  for (let n = 0; n < trees; n++) {
    const prng = new Prng(seed + n);
    const contents = randomTree(prng);
    const listing = async (name: string) => {
      for (let turns = prng.below(4); turns > 0; turns--) await undefined;
      const children = contents.get(name);
      if (!children) throw new Error('lost');
      return { children, size: children.length };
    };
    const openDirectory = (name: string) =>
      ({ listing: () => listing(name) }) as unknown as Directory;
    const root = child('', 'directory', 'd0');
    const setting = { onClose: () => () => {}, openDirectory };
    const tree = new Tree(root, setting as unknown as TreeSetting);
    const wanted = expected(contents);
    const met: Met[] = [];
    for await (const it of tree.walk({ concurrency: 1 + prng.below(4) })) met.push(it);
    expect(met.map(shown), `seed ${seed + n}`).toEqual(wanted);
    const records = met.map((it) => recordOf(it));
    for (let cut = 0; cut <= wanted.length; cut++) {
      const rest: string[] = [];
      for await (const it of tree.walk({ after: records.slice(0, cut) })) rest.push(shown(it));
      expect(rest, `seed ${seed + n}, from ${cut} on`).toEqual(wanted.slice(cut));
    }
  }
});
