/** What the page computes, without a browser. */
import { readdirSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import type { Frame, Scene } from '../../visualizer/src/engine/protocol.ts';
import { Session } from '../../visualizer/src/engine/session.ts';
import { firstDifference } from '../../visualizer/src/model/difference.ts';
import { isEnded, markAt, TraceModel } from '../../visualizer/src/model/trace-model.ts';
import { type Preset, presets } from '../../visualizer/src/presets.ts';
import { scenarioPresets } from '../../visualizer/src/scenario-presets.ts';

const presetOf = (id: string) => presets.find((preset) => preset.id === id) as Preset;

async function play(scene: Scene, labels: readonly string[]): Promise<Session> {
  const session = await Session.begin(scene);
  for (const label of labels) {
    await session.choose(session.choices.findIndex((choice) => choice.label === label));
  }
  return session;
}

const violated = (frame: Frame | undefined, side: number) =>
  frame?.sides[side]?.verdicts.filter((v) => v.violation !== null).map(({ id }) => id);

const folder = new URL('../scenarios/', import.meta.url);
const files = readdirSync(folder).filter((file) => file.endsWith('.txt'));
/** The shortest file of each letter. The browser plays all of them: `npm run test:browser`. */
const shortest = new Map(
  files
    .map((file) => ({ file, letter: file.slice(0, 1), size: statSync(new URL(file, folder)).size }))
    .sort((a, b) => b.size - a.size)
    .map(({ file, letter }) => [letter, file]),
);

describe('the scenario files', () => {
  test.each([...shortest.values()])('%s plays in the page as it does by itself', async (file) => {
    const text = await readFile(new URL(file, folder), 'utf8');
    const made = await scenarioPresets(file.slice(0, -'.txt'.length), text);
    for (const { scene, labels, rest, ends } of made) {
      const session = await play(scene, labels);
      await session.tryAll(rest ?? []);
      expect(outcomes(session)).toEqual(ends);
    }
  });
});

describe('the presets', () => {
  test.each(presets.map((preset) => [preset.id, preset] as const))(
    '%s plays, and ends as it says',
    async (_, { scene, labels, ends }) => {
      const session = await play(scene, labels);
      await session.finish();
      expect(outcomes(session)).toEqual(ends);
    },
  );
});

function outcomes(session: Session) {
  const last = session.frames.at(-1);
  return last?.sides.map(({ operations }, side) => ({
    violated: violated(last, side)?.sort(),
    operations: operations.map(({ spec, status, result }) =>
      result === undefined || result.ok ? `${spec.name} ${status}` : `${spec.name} ${result.error}`,
    ),
  }));
}

describe('a session', () => {
  const { scene, labels } = presetOf('2034');

  test('under the old rule breaks U1 where the two runs part; under ours it does not', async () => {
    const { frames } = await play(scene, labels);
    expect(firstDifference(frames)).toBe(8);
    expect(violated(frames[7], 0)).toEqual([]);
    expect(violated(frames[8], 0)).toContain('U1');
    expect(violated(frames[8], 1)).toEqual([]);
  });

  test('counts its steps on both sides alike, also past choices that one side does not have', async () => {
    const session = await play(scene, labels);
    await session.finish();
    const { frames } = session;
    expect(frames.some(({ sides }) => sides.some(({ isSkipped }) => isSkipped))).toBe(true);
    for (const [step, { sides }] of frames.entries()) {
      for (const { records } of sides) {
        expect(records.every((record) => record.step === step)).toBe(true);
      }
    }
    expect(frames.at(-1)?.sides[0]?.verdicts.find(({ id }) => id === 'U1')?.violation?.step).toBe(
      8,
    );
  });

  test('is the same again for the same path, record by record', async () => {
    const first = await play(scene, labels);
    const again = await Session.at(undefined, scene, first.path);
    expect(again.frames).toEqual(first.frames);
  });

  test('goes on where it can, and begins again where it can not', async () => {
    const session = await Session.at(undefined, scene, [0, 0]);
    expect(await Session.at(session, scene, [0, 0, 1])).toBe(session);
    const other = await Session.at(session, scene, [0, 1]);
    expect(other).not.toBe(session);
    expect(other.frames.map(({ label }) => label)).toEqual([
      null,
      'start w1',
      'deliver w1 s1 list',
    ]);
    await expect(Session.at(session, scene, [0, 99])).rejects.toThrowError(
      new RangeError('there is no choice 99 at this point'),
    );
  });
});

describe('a trace model', () => {
  test('tells the state of every chart at every position', async () => {
    const { frames } = await play(presetOf('2034').scene, presetOf('2034').labels);
    const model = new TraceModel(true);
    const ends: number[] = [];
    for (const { sides } of frames) {
      model.add(sides[0]?.records ?? []);
      ends.push(model.records.length);
    }
    expect([...model.servers]).toEqual(['s0', 's1', 's2', 's3', 's4']);
    expect(model.roots.map(({ actor }) => actor)).toEqual(['w1/writeFile']);
    const update = model.tracks.get('w1/writeFile/servermapUpdate');
    if (update === undefined) throw new Error('no update');
    expect(update.chart).toBe('servermapUpdate (old rule)');
    const states = ends.map((position) => markAt(update, position)?.state);
    const verifying = Array.from({ length: 6 }, () => 'collecting.verifying');
    expect(states).toEqual([undefined, 'collecting.awaiting', ...verifying, 'done']);
    expect(ends.map((position) => isEnded(update, position)).indexOf(true)).toBe(8);
  });

  test('draws a message from its sending to its fate', async () => {
    const { frames } = await play(presetOf('thirteen').scene, [
      ...['start w1', 'deliver w1 s0 list', 'drop w1 s1 list'],
    ]);
    const model = new TraceModel(true);
    for (const { sides } of frames) model.add(sides[0]?.records ?? []);
    const about = model.arrows.filter(({ from, to }) => [from, to].some((n) => /^s[01]$/.test(n)));
    expect(about.map(({ from, to, start, end, fate }) => [from, to, start, end, fate])).toEqual([
      ['w1', 's0', 1, 2, 'arrived'],
      ['w1', 's1', 1, 3, 'lost'],
      ['s0', 'w1', 2, 2, 'arrived'],
      ['w1', 's0', 2, null, 'underway'],
    ]);
  });
});
