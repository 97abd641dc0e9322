/** `npm run diagrams` (this file with -u) draws the charts again after a change. */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import {
  blockReadMachine,
  modifyMachine,
  publishMachine,
  retrieveMachine,
  servermapUpdateMachine,
  serverQueryMachine,
  shareWriteMachine,
} from '../machines/index.ts';
import { toMermaid } from '../src/diagram/mermaid.ts';

const machines: readonly AnyStateMachine[] = [
  servermapUpdateMachine,
  serverQueryMachine,
  publishMachine,
  shareWriteMachine,
  retrieveMachine,
  blockReadMachine,
  modifyMachine,
];

describe('the pictures in docs/ are those of the shipped charts', () => {
  test.each(machines.map((machine) => [machine.id, machine] as const))(
    '%s',
    async (id, machine) => {
      await expect(toMermaid(machine)).toMatchFileSnapshot(`../docs/diagrams/${id}.mmd`);
    },
  );
});

test.each([servermapUpdateMachine, serverQueryMachine])(
  'the README shows the shipped chart $id',
  async (machine) => {
    const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
    expect(readme).toContain(`\`\`\`mermaid\n${toMermaid(machine)}\`\`\``);
  },
);
