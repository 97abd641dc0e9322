/**
 * @module worker: the engine off the page's thread, so that the page never waits for it.
 */
import { judgeTrace } from '../../../src/simulation/judge-trace.ts';
import { type Explored, explore } from './explore.ts';
import type { Exploration, Request, Response, Search } from './protocol.ts';
import { Session } from './session.ts';
import { sharesAlong } from './shares.ts';
import { LocalWalker, type Walker } from './walker.ts';
import { lendWalker, PortWalker } from './walker-port.ts';

let session: Session | undefined;
const walkers: Walker[] = [new LocalWalker()];
let last: { readonly search: Search; readonly explored: Explored } | undefined;

async function answer(request: Request): Promise<Response> {
  const { id } = request;
  switch (request.kind) {
    case 'run':
      session = await Session.at(session, request.scene, request.path);
      return framesOf(id, session, request.from);
    case 'finish': {
      session = await Session.at(session, request.scene, request.path);
      await session.finish();
      return framesOf(id, session, request.path.length + 1);
    }
    case 'follow': {
      session = await Session.begin(request.scene);
      const stopped = await session.followFar(request.labels);
      if (stopped === null) await session.tryAll(request.rest ?? []);
      return { ...framesOf(id, session, 0), stopped };
    }
    case 'explore': {
      const { search } = request;
      const onProgress = (exploration: Exploration) =>
        postMessage({ id, kind: 'exploration', exploration } satisfies Response);
      const explored = await explore(search, walkers, { onProgress });
      last = { search, explored };
      return { id, kind: 'exploration', exploration: explored.exploration };
    }
    case 'shares': {
      if (last === undefined) throw new RangeError('nothing has been explored yet');
      const shares = await sharesAlong(last.search, last.explored, request.labels);
      return { id, kind: 'shares', shares };
    }
    case 'judge':
      return { id, kind: 'judged', judgement: judgeTrace(request.records) };
    case 'borrow':
      walkers.push(new PortWalker(request.port));
      return { id, kind: 'connected' };
    case 'lend':
      lendWalker(request.port);
      return { id, kind: 'connected' };
  }
}

function framesOf(id: number, { path, frames }: Session, from: number) {
  const kind = 'frames';
  return { id, kind, path: [...path], from, frames: frames.slice(from) } as const;
}

/** One after the other: worlds of one thread take turns anyway. */
let turn: Promise<void> = Promise.resolve();
addEventListener('message', ({ data }: MessageEvent<Request>) => {
  turn = turn.then(async () => {
    try {
      postMessage(await answer(data));
    } catch (error) {
      session = undefined;
      const message = error instanceof Error ? error.message : String(error);
      postMessage({ id: data.id, kind: 'failure', message } satisfies Response);
    }
  });
});
