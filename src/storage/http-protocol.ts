/**
 * @module http-protocol: what is asked of a server in Tahoe's HTTP storage protocol, and what its
 * answers mean, whoever carries them.
 *
 * Source: `http-storage-node-protocol.rst`, `storage/http_server.py`; docs/format.md §7.
 * Whatever a server does other than answer as the protocol says is a
 * {@link ServerUnavailableError}, or an {@link AnswerLostError} when a write may have happened;
 * its error pages are never quoted, since they can echo our secrets.
 */
import { binaryString, toBase32 } from '../bytes.ts';
import {
  AnswerLostError,
  BadWriteEnablerError,
  NoSuchShareError,
  ServerUnavailableError,
} from '../errors.ts';
import { CheckedServer, type LeaseSecrets } from './checked-server.ts';
import { CallFailedError, type HttpAnswer, type HttpCall } from './http-call.ts';
import {
  BadAnswerError,
  decodeReadTestWrite,
  decodeShareNumbers,
  decodeVersion,
  encodeAdvice,
  encodeReadTestWrite,
  readTestWriteAnswerMax,
  type ServerVersion,
  smallAnswerMax,
} from './http-wire.ts';
import type {
  ByteRange,
  CallOptions,
  ReadTestWriteAnswer,
  ReadTestWriteRequest,
  ShareKind,
} from './server.ts';

/** What the last call to a server showed. */
export type ConnectionStatus =
  | { readonly kind: 'untried' }
  | { readonly kind: 'answering' }
  | { readonly kind: 'failing'; readonly problem: string };

const CBOR = 'application/cbor';
const READS = { method: 'GET', headers: { Accept: CBOR }, idempotent: true } as const;

/** A {@link StorageServer} that is asked in the protocol; a backend carries its calls. */
export abstract class ProtocolServer extends CheckedServer {
  /** Every call takes a round trip. */
  readonly isFar = true;
  #status: ConnectionStatus = { kind: 'untried' };

  /**
   * Makes a call.
   * @throws CallFailedError when there is no answer; else what the body's pieces reject with, or
   *   `call.signal.reason`
   */
  protected abstract reach(call: HttpCall): Promise<HttpAnswer>;

  /** What a 401 means that is not about a write enabler. Its text may echo secrets. */
  protected get refusal(): string {
    return 'it refused the swissnum (401)';
  }

  /** What the last call showed. A server may be fine and a share on it missing or corrupt. */
  get status(): ConnectionStatus {
    return this.#status;
  }

  /** What it has said of itself. */
  async version({ signal }: CallOptions = {}): Promise<ServerVersion> {
    const call = { ...READS, path: 'version', answerMax: smallAnswerMax, signal };
    return await this.#ask(call, (answer) => decodeVersion(cborOf(answer)));
  }

  protected async doListShares(
    kind: ShareKind,
    storageIndex: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<readonly number[]> {
    const path = `${pathOf(kind, storageIndex)}/shares`;
    const call = { ...READS, path, answerMax: smallAnswerMax, signal };
    return await this.#ask(call, (answer) => decodeShareNumbers(cborOf(answer)));
  }

  protected async doReadShare(
    kind: ShareKind,
    storageIndex: Uint8Array,
    shnum: number,
    range: ByteRange,
    signal: AbortSignal | undefined,
    into: Uint8Array | undefined,
  ): Promise<Uint8Array> {
    const { offset } = range;
    // A header cannot ask for no bytes, and whether the share exists is to be known all the same.
    const length = Math.max(range.length, 1);
    const last = Math.min(offset + length - 1, Number.MAX_SAFE_INTEGER);
    const call = {
      ...READS,
      path: `${pathOf(kind, storageIndex)}/${shnum}`,
      headers: { Range: `bytes=${offset}-${last}` },
      answerMax: length,
      into,
      signal,
    };
    return await this.#ask(call, (answer) => {
      if (answer.status === 404) throw new NoSuchShareError(this.id, shnum);
      return rangeOf(answer, offset, last).subarray(0, range.length);
    });
  }

  protected async doReadTestWrite(
    storageIndex: Uint8Array,
    request: ReadTestWriteRequest,
    signal: AbortSignal | undefined,
  ): Promise<ReadTestWriteAnswer> {
    const { writeEnabler } = request.secrets;
    const call = {
      method: 'POST',
      path: `${pathOf('mutable', storageIndex)}/read-test-write`,
      headers: {
        Accept: CBOR,
        'Content-Type': CBOR,
        'X-Tahoe-Authorization': [
          `write-enabler ${base64(writeEnabler)}`,
          ...leaseHeaders(request.secrets),
        ],
      },
      body: encodeReadTestWrite(request),
      // One that names no share only reads.
      idempotent: request.shares.size === 0,
      answerMax: readTestWriteAnswerMax(request),
      signal,
    } as const;
    return await this.#ask(call, (answer) => {
      // A refused swissnum is the same status, with a text.
      if (answer.status === 401 && answer.body.length === 0)
        throw new BadWriteEnablerError(this.id);
      return decodeReadTestWrite(cborOf(answer), request);
    });
  }

  protected async doAddLease(
    storageIndex: Uint8Array,
    secrets: LeaseSecrets,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const call = {
      method: 'PUT',
      path: `lease/${toBase32(storageIndex)}`,
      headers: { 'X-Tahoe-Authorization': leaseHeaders(secrets) },
      idempotent: true,
      answerMax: smallAnswerMax,
      signal,
    } as const;
    return await this.#ask(call, (answer) => {
      expectStatus(answer, 204, 404);
      return answer.status === 204;
    });
  }

  protected async doAdviseCorruptShare(
    kind: ShareKind,
    storageIndex: Uint8Array,
    shnum: number,
    reason: string,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const call = {
      method: 'POST',
      path: `${pathOf(kind, storageIndex)}/${shnum}/corrupt`,
      headers: { 'Content-Type': CBOR },
      body: encodeAdvice(reason),
      idempotent: true,
      answerMax: smallAnswerMax,
      signal,
    } as const;
    // 404: the share is gone.
    await this.#ask(call, (answer) => expectStatus(answer, 200, 404));
  }

  /** Makes a call, lets `read` judge the answer, and turns whatever went wrong into our errors. */
  async #ask<Result>(call: HttpCall, read: (answer: HttpAnswer) => Result): Promise<Result> {
    let answer: HttpAnswer | undefined;
    try {
      answer = await this.reach(call);
      const result = read(answer);
      this.#status = { kind: 'answering' };
      return result;
    } catch (problem) {
      throw this.#judged(problem, call, answer);
    }
  }

  #judged(problem: unknown, call: HttpCall, answer: HttpAnswer | undefined): unknown {
    if (problem instanceof NoSuchShareError || problem instanceof BadWriteEnablerError) {
      this.#status = { kind: 'answering' };
      return problem;
    }
    if (!(problem instanceof CallFailedError || problem instanceof BadAnswerError)) return problem;
    const text = answer?.status === 401 ? this.refusal : problem.message;
    this.#status = { kind: 'failing', problem: text };
    const happened = answer === undefined ? wasDelivered(problem) : !wasRefused(answer);
    return !call.idempotent && happened
      ? new AnswerLostError(this.id, text)
      : new ServerUnavailableError(this.id, text, causeOf(problem));
  }
}

/** As the options of another error, which has none where this one has none. */
function causeOf(problem: Error): ErrorOptions {
  return 'cause' in problem ? { cause: problem.cause } : {};
}

/** Whether the server may have acted on a call that got no answer. */
function wasDelivered(problem: CallFailedError | BadAnswerError): boolean {
  return problem instanceof CallFailedError && problem.progress === 'delivered';
}

/**
 * Whether the answer says that nothing was done. Not so of 5xx: a server whose disk is full
 * answers 500 after it has written some of the parts (docs/format.md §7.3).
 */
function wasRefused({ status }: HttpAnswer): boolean {
  return status >= 400 && status < 500;
}

/** @throws BadAnswerError for any other status */
function expectStatus({ status }: HttpAnswer, ...expected: readonly number[]): void {
  if (expected.includes(status)) return;
  throw new BadAnswerError(`it answered with status ${status}`);
}

/** The body of a 200 that is CBOR. */
function cborOf(answer: HttpAnswer): Uint8Array {
  expectStatus(answer, 200);
  const [type] = (answer.headers['content-type'] ?? '').split(';');
  if (type?.trim().toLowerCase() === CBOR) return answer.body;
  throw new BadAnswerError('its answer is not CBOR');
}

/** The bytes that exist from `offset` to `last`, both included. */
function rangeOf(answer: HttpAnswer, offset: number, last: number): Uint8Array {
  expectStatus(answer, 206, 204);
  // The range lies beyond the end of the share.
  if (answer.status === 204) return new Uint8Array(0);
  const stated = /^bytes (\d+)-(\d+)\//.exec(answer.headers['content-range'] ?? '');
  const [from, to] = [Number(stated?.[1]), Number(stated?.[2])];
  if (from !== offset || !(to >= from && to <= last)) {
    throw new BadAnswerError('it sent another range than it was asked for');
  }
  const { length } = answer.body;
  if (length === to - from + 1) return answer.body;
  // Its answers carry no length of their own: a share that was cut meanwhile, or a broken server.
  throw new BadAnswerError(`it sent ${length} of the ${to - from + 1} bytes it announced`);
}

function pathOf(kind: ShareKind, storageIndex: Uint8Array): string {
  return `${kind}/${toBase32(storageIndex)}`;
}

function leaseHeaders(secrets: LeaseSecrets): readonly string[] {
  return [
    `lease-renew-secret ${base64(secrets.renewSecret)}`,
    `lease-cancel-secret ${base64(secrets.cancelSecret)}`,
  ];
}

/** Of a secret, which is short. */
function base64(bytes: Uint8Array): string {
  return btoa(binaryString(bytes));
}
