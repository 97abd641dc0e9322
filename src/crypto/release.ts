/**
 * @module release: gives memory back at once that nobody uses any more. V8 frees what lies outside of
 * its heap when there are 32 MiB of it, so a loop that is given a new array each time holds as much.
 */

type Transferable = ArrayBufferLike & { transfer?: (length: number) => unknown };

/** Who is sent something through it gets nothing. */
let nowhere: MessagePort | undefined;

/** To be called of what has its memory for itself; it has no bytes then. */
export function release({ buffer }: Uint8Array): void {
  const memory: Transferable = buffer;
  if (memory.transfer !== undefined) {
    memory.transfer(0);
    return;
  }
  nowhere ??= closedPort();
  nowhere.postMessage(undefined, [memory as ArrayBuffer]);
}

/** Of a shorter array V8 may take care when it likes. */
const releasedMin = 2 ** 12;

/** The same of what a platform has made, if that has its memory for itself, and it is worth it. */
export function releaseOwn(bytes: Uint8Array): void {
  const { byteLength } = bytes.buffer;
  if (byteLength !== bytes.length || byteLength < releasedMin) return;
  try {
    release(bytes);
  } catch {
    // It is not ours to give away; it is freed later.
  }
}

/** Before Node 22 nothing else takes the memory of an array. */
function closedPort(): MessagePort {
  const { port1, port2 } = new MessageChannel();
  port1.close();
  port2.close();
  return port1;
}
