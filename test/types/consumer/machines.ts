/**
 * The charts by themselves, with IO of one's own.
 */
import {
  type PublishInput,
  publishKernel,
  publishMachine,
  type ServermapUpdateInput,
  servermapUpdateMachine,
  type WriteFileInput,
  type WriteFileReport,
  writeFileMachine,
} from 'tahoe-mutable/machines';
import { createActor, type InputFrom, type OutputFrom, toPromise } from 'xstate';

export async function written(input: WriteFileInput): Promise<WriteFileReport> {
  const same: InputFrom<typeof writeFileMachine> = input;
  const actor = createActor(writeFileMachine, { input: same });
  actor.start();
  const report: OutputFrom<typeof writeFileMachine> = await toPromise(actor);
  return report;
}

export const states = [
  createActor(servermapUpdateMachine, { input: {} as ServermapUpdateInput }).getSnapshot().value,
  createActor(publishMachine, { input: {} as PublishInput }).getSnapshot().status,
  publishKernel.decide.name,
];
