/**
 * @module kept-segments: the blocks of the segments that somebody writes now, and the memory for them.
 *
 * Those who go along with the first pass are given its last few segments. A segment is made in the
 * memory of the one that it displaces, unless that is still in somebody's hand: what is let go of is
 * given back only when there are tens of MiB of it. What is kept at the end of a write is given back at
 * once.
 */
import { releaseOwn } from '../crypto/release.ts';
import { Recent } from '../recent.ts';
import type { Lockstep } from './lockstep.ts';

/** Of a segment, what each share stores of it. */
type Slots = readonly Uint8Array[];

/** Makes segments. */
interface Encoder {
  /** Memory for a segment. */
  room(index: number): Uint8Array;
  /** @param room for as many bytes, or more */
  encode(index: number, room: Uint8Array): Promise<Slots>;
}

/** Segments whose blocks are kept; writers further apart encode again. */
export const segmentsKept = 4;

export class KeptSegments {
  readonly #encoder: Encoder;
  readonly #lockstep: Lockstep | undefined;
  /** Of the first pass, if nobody asks for it. */
  readonly #scratch: Uint8Array | undefined;
  /** Of the first pass, those in step. */
  readonly #inStep = new Map<number, Promise<Slots>>();
  /** Of the segment `index`, the room is at `index` modulo the window. */
  readonly #rooms: Uint8Array[] = [];
  /** Of those that were encoded for whoever asked, as many as are kept. */
  readonly #recentRooms: Uint8Array[] = [];
  /** Encoded for whoever asked. */
  readonly #recent = new Recent<number, Promise<Slots>>(segmentsKept);

  /** @param count of all segments */
  constructor(encoder: Encoder, count: number, lockstep: Lockstep | undefined) {
    this.#encoder = encoder;
    this.#lockstep = lockstep;
    // Of a longer file the first segments are forgotten before anybody asks for them.
    const isForgotten = count > segmentsKept && lockstep === undefined;
    this.#scratch = isForgotten ? encoder.room(0) : undefined;
  }

  /** A segment, for who writes it. */
  of(index: number): Promise<Slots> {
    const inStep = this.#inStep.get(index);
    if (inStep !== undefined) return inStep;
    const slots = this.#recent.of(index, () =>
      this.#encoder.encode(index, this.#recentRoom(index)),
    );
    // A failure is not kept: the next one who asks tries again.
    slots.catch(() => this.#recent.forget(index, slots));
    return slots;
  }

  /** The next segment of the first pass, when its turn has come. */
  next(index: number): Promise<Slots> {
    if (this.#scratch !== undefined) return this.#encoder.encode(index, this.#scratch);
    if (this.#lockstep === undefined) return this.of(index);
    const slots = this.#encoder.encode(index, this.#roomInStep(index, this.#lockstep));
    this.#inStep.set(index, slots);
    return slots;
  }

  /** Nobody writes any more: the memory is given back, and the blocks have no bytes. */
  letGo(): void {
    for (const room of [...this.#rooms, ...this.#recentRooms]) releaseOwn(room);
    if (this.#scratch !== undefined) releaseOwn(this.#scratch);
  }

  #recentRoom(index: number): Uint8Array {
    const room = this.#encoder.room(index);
    this.#recentRooms.push(room);
    if (this.#recentRooms.length > segmentsKept) this.#recentRooms.shift();
    return room;
  }

  #roomInStep(index: number, lockstep: Lockstep): Uint8Array {
    const { window } = lockstep;
    const displaced = index - window;
    this.#inStep.delete(displaced);
    const old = this.#rooms[index % window];
    const room =
      old === undefined || lockstep.isInHand(displaced) ? this.#encoder.room(index) : old;
    this.#rooms[index % window] = room;
    return room;
  }
}
