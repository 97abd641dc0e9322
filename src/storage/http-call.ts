/**
 * @module http-call: a call of Tahoe's HTTP storage protocol, the answer to it, and what can become
 * of it on the way, whoever carries it.
 */

export interface HttpCall {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Below `/storage/v1/`. */
  readonly path: string;
  /** Several values of one name become several header lines. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: HttpBody | undefined;
  /** Whether making the call twice is the same as making it once. */
  readonly idempotent: boolean;
  /** The size in bytes of the largest answer that makes sense. */
  readonly answerMax: number;
  /** Where the answer may be put. */
  readonly into?: Uint8Array | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A body whose length is known before its content. */
export interface HttpBody {
  readonly length: number;
  /** Exactly `length` bytes; asked for again when the call is repeated. */
  pieces(): AsyncIterable<Uint8Array>;
}

export interface HttpAnswer {
  readonly status: number;
  /** Those that are looked at. */
  readonly headers: {
    readonly 'content-type'?: string | undefined;
    readonly 'content-range'?: string | undefined;
  };
  /** Whole when `status` is 2xx, else perhaps cut. */
  readonly body: Uint8Array;
}

/** How far a call came: no trusted connection, a part of the request, or all of it, were sent. */
export type Progress = 'unconnected' | 'partial' | 'delivered';

/** There is no answer, or none that can be used. The message is for people and holds no secret. */
export class CallFailedError extends Error {
  readonly progress: Progress;
  /** Whether it failed as calls do on a connection that the server had closed while idle. */
  readonly stale: boolean;

  constructor(
    problem: string,
    progress: Progress,
    { stale = false, ...options }: ErrorOptions & { readonly stale?: boolean } = {},
  ) {
    super(problem, options);
    this.name = 'CallFailedError';
    this.progress = progress;
    this.stale = stale;
  }
}

/** The caller has hung up. */
export class ConnectionClosedError extends CallFailedError {
  constructor(progress: Progress) {
    super('the connection was closed', progress);
  }
}

/** Of an error page, more than enough to see whether it is empty and to reuse the connection. */
export const ERROR_BODY_MAX = 10_000;
/** What is sent within the time of silence, and received within twice that, in bytes. */
export const CHUNK = 64 * 1024;

/** The length of a range as the server states it, which may err; 0 where it does not. */
export function announced(headers: HttpAnswer['headers']): number {
  const [, from, to] = /^bytes (\d+)-(\d+)\//.exec(headers['content-range'] ?? '') ?? [];
  return Math.max(0, Number(to ?? -1) - Number(from ?? 0) + 1);
}

/** Bytes in one piece, however small the pieces that they come in: each of those costs more. */
export class GrowingBytes {
  #bytes: Uint8Array;
  #length = 0;

  /** @param room for as many as there will be, as far as anybody knows */
  constructor(room: Uint8Array) {
    this.#bytes = room;
  }

  get length(): number {
    return this.#length;
  }

  add(chunk: Uint8Array): void {
    const length = this.#length + chunk.length;
    if (length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#length));
      larger.set(this.whole());
      this.#bytes = larger;
    }
    this.#bytes.set(chunk, this.#length);
    this.#length = length;
  }

  whole(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}
