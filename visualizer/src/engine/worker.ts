/**
 * @module worker: the engine off the page's thread, so that the page never waits for it.
 */
import { explore } from './explore.ts';
import type { Request, Response } from './protocol.ts';
import { Session } from './session.ts';

let session: Session | undefined;

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
      const exploration = await explore(request.scene, request.path, (progress) =>
        postMessage({ id, kind: 'exploration', exploration: progress } satisfies Response),
      );
      return { id, kind: 'exploration', exploration };
    }
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
