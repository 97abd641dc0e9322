/** @module parents.test: a child can only have a parent that knows its reports: types alone. */
import { describe, expectTypeOf, test } from 'vitest';
import { type ActorRef, type Snapshot, sendTo, setup } from 'xstate';
import type { BlockReadInput } from '../../machines/block-read.machine.ts';
import {
  type BlocksSettled,
  blocksSettled,
  type OperationCancel,
  operationCancel,
  type ServerAnswered,
  type ServerSettled,
  type WriteSettled,
  writeSettled,
} from '../../machines/events.ts';
import type { ServerQueryInput } from '../../machines/server-query.machine.ts';
import type { ShareWriteInput } from '../../machines/share-write.machine.ts';
import { writeReport } from '../support/facts.ts';

type Parent<Event extends { type: string }> = ActorRef<Snapshot<unknown>, Event>;

describe('the parent of', () => {
  test('a query takes its two reports, and may take more', () => {
    type Takes = ServerAnswered | ServerSettled;
    expectTypeOf<Parent<Takes>>().toExtend<ServerQueryInput['parent']>();
    expectTypeOf<Parent<Takes | OperationCancel>>().toExtend<ServerQueryInput['parent']>();
    expectTypeOf<Parent<ServerAnswered>>().not.toExtend<ServerQueryInput['parent']>();
    expectTypeOf<Parent<BlocksSettled>>().not.toExtend<ServerQueryInput['parent']>();
  });

  test('a read of blocks takes its report', () => {
    expectTypeOf<Parent<BlocksSettled>>().toExtend<BlockReadInput['parent']>();
    expectTypeOf<Parent<OperationCancel>>().not.toExtend<BlockReadInput['parent']>();
  });

  test('a write takes its report', () => {
    expectTypeOf<Parent<WriteSettled>>().toExtend<ShareWriteInput['parent']>();
    expectTypeOf<Parent<WriteSettled | OperationCancel>>().toExtend<ShareWriteInput['parent']>();
    expectTypeOf<Parent<BlocksSettled>>().not.toExtend<ShareWriteInput['parent']>();
  });
});

describe('what it does not know can not be sent to', () => {
  test('a coordinator of reads', () => {
    const types = { context: {} as BlockReadInput, events: {} as OperationCancel };
    setup({ types }).createMachine({
      context: {} as BlockReadInput,
      entry: [
        sendTo(
          ({ context }) => context.parent,
          () => blocksSettled({ server: 's0', shnum: 0, status: 'held', failure: null }),
        ),
        sendTo(
          ({ context }) => context.parent,
          // @ts-expect-error: a coordinator of reads is not cancelled by its child
          () => operationCancel(),
        ),
      ],
    });
  });

  test('a coordinator of writes', () => {
    const types = { context: {} as ShareWriteInput, events: {} as OperationCancel };
    setup({ types }).createMachine({
      context: {} as ShareWriteInput,
      entry: [
        sendTo(
          ({ context }) => context.parent,
          () => writeSettled(writeReport('s0', 'accepted')),
        ),
        sendTo(
          ({ context }) => context.parent,
          // @ts-expect-error: a coordinator of writes is not cancelled by its child
          () => operationCancel(),
        ),
      ],
    });
  });
});
