/**
 * @module chart-entries: every shipped chart, read off its machine, and the historic one.
 */
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
} from '../../../machines/index.ts';
import { chartOf } from '../../../src/inspector/chart.ts';
import type { ChartEntry } from './protocol.ts';

/** What is seen first comes first: they are drawn in this order. */
const shipped = [
  writeFileMachine,
  readFileMachine,
  readVersionMachine,
  verifyFileMachine,
  downloadFileMachine,
  verifyImmutableMachine,
  repairFileMachine,
  servermapUpdateMachine,
  publishMachine,
  serverQueryMachine,
  shareWriteMachine,
  retrieveMachine,
  blockReadMachine,
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
