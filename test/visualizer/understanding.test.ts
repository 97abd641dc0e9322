/** What makes the race understood: which chart is shown, what is marked, and what is said of it. */
import { beforeAll, describe, expect, test } from 'vitest';
import { chartEntries } from '../../visualizer/src/engine/chart-entries.ts';
import type { Frame } from '../../visualizer/src/engine/protocol.ts';
import { Session } from '../../visualizer/src/engine/session.ts';
import { arrowWords, onlyIn } from '../../visualizer/src/model/chart-difference.ts';
import { actorWords, trackNamed } from '../../visualizer/src/model/culprit.ts';
import { discardOf } from '../../visualizer/src/model/ending.ts';
import { focusOf, type SideAt, shownOn } from '../../visualizer/src/model/focus.ts';
import { harmsOf, writesOf } from '../../visualizer/src/model/harm.ts';
import { eventWords, standWords } from '../../visualizer/src/model/telling.ts';
import { TraceModel, type Track } from '../../visualizer/src/model/trace-model.ts';
import { type Preset, presets } from '../../visualizer/src/presets.ts';

const chartNamed = (name: string) => {
  const entry = chartEntries().find((it) => it.name === name);
  if (entry === undefined) throw new Error(`no chart ${name}`);
  return entry.chart;
};

describe('two charts', () => {
  const [old, ours] = ['servermapUpdate (old rule)', 'servermapUpdate'].map(chartNamed);

  test('of the servermap update differ in the one arrow that #2034 is about', () => {
    if (old === undefined || ours === undefined) throw new Error('no charts');
    expect(onlyIn(old, ours)).toEqual([
      {
        id: 'collecting.verifying||0',
        source: 'collecting.verifying',
        target: 'done',
        event: '',
        guard: 'isOver',
      },
    ]);
    expect(onlyIn(ours, old)).toEqual([]);
    expect(onlyIn(old, ours).map(arrowWords)).toEqual(['verifying → done']);
  });

  test('differ too where an arrow of one name has another guard, or leads elsewhere', () => {
    const [first] = ours?.transitions ?? [];
    if (ours === undefined || first === undefined) throw new Error('no charts');
    const changed = (change: object) => ({
      ...ours,
      transitions: ours.transitions.map((it) => (it === first ? { ...it, ...change } : it)),
    });
    for (const change of [{ guard: 'another' }, { target: 'elsewhere' }]) {
      expect(onlyIn(changed(change), ours)).toEqual([{ ...first, ...change }]);
      expect(onlyIn(ours, changed(change))).toEqual([first]);
    }
    expect(onlyIn(ours, ours)).toEqual([]);
  });
});

/** A preset to its end, one model per side, and where each was after each step. */
interface Played {
  readonly frames: readonly Frame[];
  readonly models: readonly TraceModel[];
  readonly positions: readonly (readonly number[])[];
}

async function playToEnd(id: string): Promise<Played> {
  const { scene, labels } = presets.find((preset) => preset.id === id) as Preset;
  const session = await Session.begin(scene);
  await session.follow(labels);
  await session.finish();
  const models = scene.sides.map(() => new TraceModel(true));
  const positions = session.frames.map(({ sides }) =>
    sides.map(({ records }, side) => {
      models[side]?.add(records);
      return models[side]?.records.length ?? 0;
    }),
  );
  return { frames: session.frames, models, positions };
}

describe('#2034 to its end', () => {
  let run: Played;
  const parted = 8;
  const over = 16;
  beforeAll(async () => {
    run = await playToEnd('2034');
  });

  const at = (step: number): readonly SideAt[] =>
    run.models.map((model, side) => ({ model, position: run.positions[step]?.[side] ?? 0 }));
  const track = (side: number, actor: string): Track => {
    const found = run.models[side]?.tracks.get(actor);
    if (found === undefined) throw new Error(`no ${actor}`);
    return found;
  };
  const isDifferent = (chart: string) => chart.startsWith('servermapUpdate');
  const shown = (
    step: number,
    chosen: string | null,
    culprits: readonly (string | null)[] = [],
  ) => {
    const focus = focusOf(at(step), { chosen, culprits, isDifferent });
    return at(step).map((side) => shownOn(side, focus)?.actor);
  };
  const update = 'w1/writeFile/servermapUpdate';

  test('both sides show the servermap update from the beginning to the end', () => {
    expect(shown(0, null)).toEqual([undefined, undefined]);
    for (const step of [1, parted, parted + 1, over]) {
      expect(shown(step, null)).toEqual([update, update]);
    }
  });

  test('what the reader picks is shown on both, and where it has not begun what is at work', () => {
    const publish = 'w1/writeFile/publish';
    expect(shown(parted, publish)).toEqual([publish, update]);
    expect(shown(over, publish)).toEqual([publish, publish]);
    expect(shown(over, 'w1/nothing')).toEqual([update, update]);
  });

  test('who breaks a property at this step comes before what differs', () => {
    expect(shown(over, null, ['w1/writeFile/publish/write:s2:0', null])).toEqual([
      'w1/writeFile/publish',
      'w1/writeFile/publish',
    ]);
  });

  test('a verdict names the chart that broke the property', () => {
    const broken = run.frames
      .at(-1)
      ?.sides.map(({ verdicts }) =>
        verdicts.flatMap(({ id, violation }) =>
          violation === null ? [] : [[id, violation.actor]],
        ),
      );
    expect(broken).toEqual([
      [
        ['U1', update],
        ['U6', update],
      ],
      [],
    ]);
    expect(actorWords(track(0, update))).toBe('w1’s servermap update');
    expect(actorWords(track(0, `${update}/query:s4`))).toBe('w1’s servermap update at s4');
    const [old] = at(over);
    if (old === undefined) throw new Error('no side');
    expect(trackNamed(old.model, 'w1', old.position)?.actor).toBe('w1/writeFile/publish');
  });

  test('s4 was thrown away under the old rule, and says so ever after; nobody else was', () => {
    const said = (step: number, side: number) => {
      const { model, position } = at(step)[side] as SideAt;
      return [...model.tracks.values()].flatMap((it) => {
        const words = discardOf(it, model, position)?.words;
        return words === undefined ? [] : [[it.actor, words]];
      });
    };
    const thrown = [`${update}/query:s4`, 'thrown away at step 8: still verifying'];
    expect(said(parted - 1, 0)).toEqual([]);
    expect([said(parted, 0), said(over, 0)]).toEqual([[thrown], [thrown]]);
    expect([said(parted, 1), said(over, 1)]).toEqual([[], []]);
  });

  test('the same in a recording of it, by the number of the record', () => {
    const model = new TraceModel(false);
    model.add(run.models[0]?.records ?? []);
    const child = model.tracks.get(`${update}/query:s4`) as Track;
    expect(discardOf(child, model, model.records.length)?.words).toBe(
      `thrown away at record ${child.end?.column}: still verifying`,
    );
    expect(discardOf(child, model, (child.end?.position ?? 0) - 1)).toBeUndefined();
  });

  const told = (step: number) =>
    at(step).map(({ model, position }, side) => {
      const servers = run.frames[step]?.sides[side]?.servers ?? [];
      const harms = harmsOf(servers, writesOf(model.records.slice(0, position)));
      const span = { model, from: run.positions[step - 1]?.[side] ?? 0, to: position };
      return [eventWords(span), standWords(span, harms)];
    });

  test('it is told step by step, and ends with the harm', () => {
    expect(told(1)).toEqual(
      Array(2).fill([
        'w1 begins to overwrite: it asks s0, s1, s2, s3 and s4 which shares they hold.',
        'The servermap update is in “awaiting” and waits for s0, s1, s2, s3 and s4.',
      ]),
    );
    expect(told(5)[0]?.[0]).toBe('s3 answers: it holds no share.');
    expect(told(6)[0]?.[0]).toBe('s4 answers: it holds share 2. Now it is read and verified.');
    expect(told(parted)).toEqual([
      [
        's1’s share 1 has come, and is good.',
        'The servermap update is done while s4 is still being verified: what it holds is thrown away.',
      ],
      [
        's1’s share 1 has come, and is good.',
        'The servermap update is in “verifying” and waits for s4.',
      ],
    ]);
    expect(told(9)[0]).toEqual([
      'w1 writes share 2 of version 2 on s2.',
      'The publish is in “writing” and waits for s3.',
    ]);
    expect(told(over)).toEqual([
      [
        undefined,
        'w1 is over. Harm is left: second share 2 on s2; second share 0 on s3; still version 1 on s4.',
      ],
      [
        'w1 writes share 2 of version 2 on s4.',
        'w1 is over: published. Nothing wrong is left on the servers.',
      ],
    ]);
  });
});
