/** The address of the page: what it says, and what it says of itself when it is wrong. */
import { describe, expect, test } from 'vitest';
import { Session } from '../../visualizer/src/engine/session.ts';
import { inOrderOfSteps, type Link, readLink, writeLink } from '../../visualizer/src/model/link.ts';
import { type Preset, presets } from '../../visualizer/src/presets.ts';

const { scene, labels } = presets.find(({ id }) => id === '2034') as Preset;
const nothing: Link = {
  ...{ preset: null, scene: null, steps: null, at: null, tab: null, card: null },
  ...{ view: null, file: null, live: null },
};
const problemsOf = (hash: string) => readLink(hash).problems;

describe('a link', () => {
  test('says what is shown, legibly, and nothing is lost on the way', () => {
    const named: Link = {
      ...nothing,
      preset: '2034',
      steps: ['start w1', 'deliver w1 s0 read sh0 head', 'advance'],
      at: 2,
      tab: 'w1/writeFile/servermapUpdate',
      card: 'w1/writeFile/servermapUpdate/query:s3',
    };
    const hash = writeLink(named);
    expect(hash).toBe(
      '#v=2&p=2034&s=start.w1,d.w1.s0.read.sh0.head,advance&at=2' +
        '&tab=w1/writeFile/servermapUpdate&card=w1/writeFile/servermapUpdate/query:s3',
    );
    expect(readLink(hash)).toEqual({ ...named, problems: [] });
    const own: Link = { ...nothing, scene, steps: [], view: 'talk' };
    expect(readLink(writeLink(own))).toEqual({ ...own, problems: [] });
    expect(readLink('')).toEqual({ ...nothing, problems: [] });
  });

  test('holds names with any characters in them', () => {
    const steps = ['start a.b,c', 'deliver a&b=c s%0 é list', 'd', 'deliver'];
    const link = { ...nothing, preset: 'a&b#c', steps, tab: '__proto__/x y' };
    // `d` alone is no choice of any world; it reads as what it stands for.
    const read = { ...link, steps: [...steps.slice(0, 2), 'deliver', 'deliver'] };
    expect(readLink(writeLink(link))).toEqual({ ...read, problems: [] });
  });

  test('of a live run or of a file says no more than where that is, and what is picked', () => {
    const live = writeLink({ live: '127.0.0.1:1/t', tab: 'get/readFile' });
    expect(live).toBe('#live=127.0.0.1:1/t&tab=get/readFile');
    expect(readLink(live)).toEqual({
      ...{ ...nothing, live: '127.0.0.1:1/t', tab: 'get/readFile', problems: [] },
    });
    expect(readLink(writeLink({ file: 'a run.jsonl' })).file).toBe('a run.jsonl');
  });

  test('of version 1 is still read: numbers for steps', () => {
    expect(readLink('#p=two-writers&c=0.3.12&at=2')).toEqual({
      ...{ ...nothing, preset: 'two-writers', steps: [0, 3, 12], at: 2, problems: [] },
    });
    expect(readLink('#p=2034&c=').steps).toEqual([]);
  });
});

describe('what is wrong with a link is told, and the valid part kept', () => {
  test.each([
    ['#v=2&p=2034&at=many', ['“at=many” in the link is no step.'], { preset: '2034' }],
    ['#v=2&p=2034&at=-1', ['“at=-1” in the link is no step.'], { preset: '2034' }],
    ['#p=2034&c=0.x.2', ['Step 2 of the link, “x”, is none: it ends before.'], { steps: [0] }],
    [
      '#v=2&p=2034&s=start.w1,d.%E0%A4%A,d.w1',
      ['Step 2 of the link, “d.%E0%A4%A”, is none: it ends before.'],
      { steps: ['start w1'] },
    ],
    [
      '#v=7&p=2034',
      ['The link says that it is of version “7”; this page reads 2.'],
      { preset: '2034' },
    ],
    ['#&&&=&=x&p', ['“p” in the link names no scene.'], { preset: null }],
    [
      '#live=evil.com:80/x',
      ['“evil.com:80/x” in the link is not an address of this machine.'],
      { live: null },
    ],
    [
      '#live=127.0.0.1:70000/x',
      ['“127.0.0.1:70000/x” in the link is not an address of this machine.'],
      { live: null },
    ],
    [
      '#live=127.0.0.1:80',
      ['“127.0.0.1:80” in the link is not an address of this machine.'],
      { live: null },
    ],
    [
      '#live=127.0.0.1:80/x%0A%E2%80%AE',
      ['“127.0.0.1:80/x\\u{a}\\u{202e}” in the link is not an address of this machine.'],
      { live: null },
    ],
    ['#v=2&p=2034&tab=%', ['“tab=%” in the link is damaged.'], { preset: '2034', tab: null }],
    ['#w=%%%', ['The scene in the link is damaged; perhaps its end is missing.'], { scene: null }],
    [
      `#w=${btoa('{"sides":[]}')}`,
      ['The scene in the link cannot be shown: a scene has one side, or two.'],
      { scene: null },
    ],
  ])('%s', (hash, problems, kept) => {
    const link = readLink(hash);
    expect(link.problems).toEqual(problems);
    expect(link).toMatchObject(kept);
  });

  test('in the order of the steps', () => {
    const told = ['Step 4 of the link, “x”, is none: it ends before.', 'The scene is damaged.'];
    const stopped = 'Choice 99 is not possible at step 2; what was before it is shown.';
    expect(inOrderOfSteps([...told, stopped])).toEqual([told[1], stopped, told[0]]);
  });

  test('a scene that was cut off anywhere is never taken for another one', () => {
    const whole = writeLink({ scene });
    for (let length = whole.length - 1; length > '#v=2&w='.length; length -= 7) {
      const { problems, scene: read } = readLink(whole.slice(0, length));
      expect({ read, count: problems.length }).toEqual({ read: null, count: 1 });
    }
    expect(problemsOf(whole)).toEqual([]);
  });
});

describe('steps', () => {
  test('that are not possible any more end the run before them, and say where', async () => {
    const session = await Session.begin(scene);
    const steps = [...labels.slice(0, 3), 'deliver w1 s9 list', ...labels.slice(3)];
    expect(await session.followFar(steps)).toBe('“deliver w1 s9 list” is not possible at step 4');
    expect(session.frames.slice(1).map(({ label }) => label)).toEqual(labels.slice(0, 3));
  });

  test('of an old link are followed by number, as far as they go', async () => {
    const session = await Session.begin(scene);
    expect(await session.followFar([0, 0, 999, 0])).toBe('Choice 999 is not possible at step 3');
    expect(session.path).toEqual([0, 0]);
  });
});
