/**
 * @module live: a run in Node as it happens, through the real `@xstate/inspect` receiver, which is
 * loaded only for this.
 */
import type { TraceRecord } from '../../src/simulation/world-types.ts';

/** What becomes of what is received. */
export interface Viewer {
  readonly open: () => void;
  readonly add: (records: readonly TraceRecord[]) => void;
  readonly tell: (problem: string) => void;
}

/** @param address `127.0.0.1:PORT/TOKEN` */
export async function watch(address: string, viewer: Viewer): Promise<void> {
  const { receive } = await import('@tahoe-mutable/inspect-v4');
  let isOpen = false;
  receive(address, {
    onRecords: (records) => {
      if (!isOpen) viewer.open();
      isOpen = true;
      viewer.add(records);
    },
    onGap: (expected, found) => {
      viewer.tell(`Records ${expected} to ${found - 1} were lost: open the trace file instead.`);
    },
  });
}
