/**
 * @module live: a run in Node as it happens, through the real `@xstate/inspect` receiver, which is
 * loaded only for this.
 */
import { addRecords, notice, openRecording } from './store.ts';

/** @param address `127.0.0.1:PORT/TOKEN` */
export async function watch(address: string): Promise<void> {
  const { receive } = await import('@tahoe-mutable/inspect-v4');
  let isOpen = false;
  receive(address, {
    onRecords: (records) => {
      if (!isOpen) openRecording('a run in Node', [], true);
      isOpen = true;
      addRecords(records);
    },
    onGap: (expected, found) => {
      notice.value = `Records ${expected} to ${found - 1} were lost: open the trace file instead.`;
    },
  });
}
