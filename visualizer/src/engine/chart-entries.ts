/**
 * @module chart-entries: every shipped chart, read off its machine, and the historic one.
 */
import {
  blockReadMachine,
  historicUpdateMachine,
  modifyMachine,
  publishMachine,
  retrieveMachine,
  servermapUpdateMachine,
  serverQueryMachine,
  shareWriteMachine,
} from '../../../machines/index.ts';
import { chartOf } from '../../../src/diagram/chart.ts';
import type { ChartEntry } from './protocol.ts';

/** What is seen first comes first: they are drawn in this order. */
const shipped = [
  servermapUpdateMachine,
  publishMachine,
  serverQueryMachine,
  shareWriteMachine,
  retrieveMachine,
  blockReadMachine,
  modifyMachine,
];

export function chartEntries(): readonly ChartEntry[] {
  const entry = (machine: (typeof shipped)[number], name: string = machine.id) => ({
    name,
    description: machine.root.description ?? '',
    chart: { ...chartOf(machine), id: name },
  });
  return [
    ...shipped.map((machine) => entry(machine)),
    entry(historicUpdateMachine, 'servermapUpdate (old rule)'),
  ];
}
