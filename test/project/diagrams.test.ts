/** `npm run diagrams` (this file with -u) draws the charts again after a change. */
import { readFile } from 'node:fs/promises';
import ELK from 'elkjs/lib/elk.bundled.js';
import { describe, expect, test } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import {
  blockReadMachine,
  downloadFileMachine,
  historicUpdateMachine,
  publishMachine,
  readFileMachine,
  readVersionMachine,
  repairFileMachine,
  retrieveMachine,
  servermapUpdateMachine,
  serverQueryMachine,
  shareWriteMachine,
  verifyFileMachine,
  verifyImmutableMachine,
  writeFileMachine,
} from '../../machines/index.ts';
import { chartOf } from '../../src/inspector/chart.ts';
import { type PlacedChart, place } from '../../visualizer/src/diagram/layout.ts';
import { toSvgFile } from '../../visualizer/src/diagram/svg.ts';
import { toMermaid } from '../support/mermaid.ts';

const machines: readonly AnyStateMachine[] = [
  servermapUpdateMachine,
  serverQueryMachine,
  publishMachine,
  shareWriteMachine,
  retrieveMachine,
  blockReadMachine,
  readFileMachine,
  readVersionMachine,
  verifyFileMachine,
  repairFileMachine,
  writeFileMachine,
  downloadFileMachine,
  verifyImmutableMachine,
];
const named = machines.map((machine) => [machine.id, machine] as const);

/** elkjs is CommonJS and its types are those of a module. */
const elk = new (ELK as unknown as typeof ELK.default)();
const placeAnew = (machine: AnyStateMachine): Promise<PlacedChart> => place(chartOf(machine), elk);
/** Each once: to place them is most of the time that this file takes. */
const places = new Map<AnyStateMachine, Promise<PlacedChart>>();
const placed = (machine: AnyStateMachine): Promise<PlacedChart> => {
  const known = places.get(machine) ?? placeAnew(machine);
  places.set(machine, known);
  return known;
};

describe('the pictures in docs/ are those of the shipped charts', () => {
  test.each(named)('%s in Mermaid', async (id, machine) => {
    await expect(toMermaid(machine)).toMatchFileSnapshot(`../../docs/diagrams/${id}.mmd`);
  });

  test.each(named)('%s in SVG', async (id, machine) => {
    const label = `Statechart ${id}: ${machine.root.description}`;
    const svg = toSvgFile(await placed(machine), label);
    await expect(svg).toMatchFileSnapshot(`../../docs/diagrams/${id}.svg`);
  });
});

describe('a placed chart', () => {
  test.each(named)(
    '%s: every state and transition once, no box over another',
    async (_, machine) => {
      const chart = chartOf(machine);
      const { states, edges, width, height } = await placed(machine);
      const drawn = [
        ...edges.flatMap(({ ids }) => ids),
        ...states.flatMap((s) => s.rows.map((r) => r.id)),
      ];
      const transitions = chart.transitions.map(({ id }) => id);
      expect(drawn.filter((id) => !id.startsWith('initial:')).sort()).toEqual(
        [...transitions].sort(),
      );
      // A line names all its transitions in one attribute, with spaces between.
      expect(transitions.filter((id) => id.includes(' '))).toEqual([]);
      const leaves = states.filter(({ kind }) => kind !== 'compound');
      const boxes = [...leaves, ...edges.flatMap(({ label }) => (label === null ? [] : [label]))];
      const overlaps = boxes.filter((a, i) =>
        boxes.some(
          (b, j) =>
            i < j &&
            a.x < b.x + b.width &&
            b.x < a.x + a.width &&
            a.y < b.y + b.height &&
            b.y < a.y + a.height,
        ),
      );
      expect(overlaps).toEqual([]);
      const outside = boxes.filter(
        (b) => b.x < 0 || b.y < 0 || b.x + b.width > width || b.y + b.height > height,
      );
      expect(outside).toEqual([]);
    },
  );

  test.each(named)('%s fits on a screen', async (_, machine) => {
    const { width, height } = await placed(machine);
    expect(width).toBeLessThanOrEqual(1440);
    expect(height).toBeLessThanOrEqual(900);
  });

  test('is the same every time', async () => {
    expect(await placeAnew(publishMachine)).toEqual(await placed(publishMachine));
  });

  test('of the historic rule has the transition that the shipped chart lacks', async () => {
    const added = (machine: AnyStateMachine) => chartOf(machine).transitions.map(({ id }) => id);
    const shipped = added(servermapUpdateMachine);
    expect(added(historicUpdateMachine).filter((id) => !shipped.includes(id))).toEqual([
      'collecting.verifying||0',
    ]);
  });
});

test.each([servermapUpdateMachine, serverQueryMachine, writeFileMachine])(
  'the README shows the picture of $id',
  async ({ id }) => {
    const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
    expect(readme).toContain(`](docs/diagrams/${id}.svg)`);
  },
);
