/**
 * @module answers: answers as records tell them, and what becomes of one on its way.
 */
import type { Json } from '../runtime/trace.ts';
import type { ReadTestWriteAnswer } from '../storage/server.ts';
import type { Held } from './disks.ts';
import type { FaultKind } from './faults.ts';
import type { Answer, Envelope, Message } from './network.ts';

export function describeAnswer({ call, answer, spoiltBy }: Envelope): Json {
  if (answer === undefined) return null;
  if (!answer.ok) return { error: (answer.error as Error).message };
  const spoilt = spoiltBy === undefined ? {} : { spoiltBy };
  if (call === 'list') return { shnums: [...(answer.value as readonly number[])], ...spoilt };
  if (call === 'read') return { bytes: (answer.value as Uint8Array).length, ...spoilt };
  return { wrote: (answer.value as { wrote: boolean }).wrote, ...spoilt };
}

/** As after a write that was done: the heads of what the server holds. */
export function feigned(held: Held): ReadTestWriteAnswer {
  const heads = [...held].map(([shnum, bytes = new Uint8Array(0)]) => {
    return [shnum, [bytes.slice(0, headLength)]] as const;
  });
  return { wrote: true, reads: new Map(heads) };
}

/** The format, the seqnum and the root hash. */
const headLength = 41;

/** The head of a share of version 255, in the place that was to be written. */
export function invented({ shnum }: Message): ReadTestWriteAnswer['reads'] {
  const head = new Uint8Array(headLength).fill(0xee, 8).fill(255, 8, 9);
  return new Map([[shnum as number, [head]]]);
}

/** An answer that was changed on its way. */
export function spoilt(kind: FaultKind, answer: Answer, isHead: boolean): Answer {
  if (!answer.ok) return answer;
  if (kind === 'garble') {
    const bytes = (answer.value as Uint8Array).slice();
    // Of a head the root hash, which names the version.
    const place = isHead ? 10 : Math.floor(bytes.length / 2);
    // Bits that no rot changes alike, or the two would make the byte right again.
    bytes.fill((bytes[place] ?? 0) ^ 0x55, place, place + 1);
    return { ok: true, value: bytes };
  }
  const shnums = answer.value as readonly number[];
  if (kind === 'hide') return { ok: true, value: shnums.slice(1) };
  return { ok: true, value: [...shnums, (shnums.at(-1) ?? -1) + 1] };
}
