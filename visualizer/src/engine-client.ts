/**
 * @module engine-client: the page's end of the engine's worker.
 */
import type { Exploration, Request, Response } from './engine/protocol.ts';

type Body<R> = R extends unknown ? Omit<R, 'id'> : never;

export class EngineClient {
  #worker: Worker | undefined;
  readonly #waiting = new Map<
    number,
    { readonly resolve: (response: Response) => void; readonly reject: (error: Error) => void }
  >();
  #count = 0;
  #onProgress: (exploration: Exploration) => void = () => {};

  /** The worker is large, so it comes when there is something for it to do. */
  #started(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = new Worker(new URL('./engine/worker.ts', import.meta.url), { type: 'module' });
    this.#worker = worker;
    worker.addEventListener('message', ({ data }: MessageEvent<Response>) => {
      if (data.kind === 'exploration' && data.exploration.status === 'running') {
        return this.#onProgress(data.exploration);
      }
      const waiting = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      if (data.kind === 'failure') waiting?.reject(new Error(data.message));
      else waiting?.resolve(data);
    });
    worker.addEventListener('error', (event) => {
      const error = new Error(event.message || 'the engine did not start');
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    });
    return worker;
  }

  /** While the process that serves the page is there: it may be gone when there is something. */
  start(): void {
    this.#started();
  }

  request(body: Body<Request>, transfer: Transferable[] = []): Promise<Response> {
    const id = ++this.#count;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#started().postMessage({ ...body, id }, transfer);
    });
  }

  onProgress(listener: (exploration: Exploration) => void): void {
    this.#onProgress = listener;
  }

  stop(): void {
    this.#worker?.terminate();
    for (const { reject } of this.#waiting.values()) reject(new Error('stopped'));
  }
}
