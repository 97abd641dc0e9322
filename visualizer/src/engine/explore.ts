/**
 * @module explore: every order in which the messages of a scene can arrive, shortest first.
 *
 * Orders that lead to the same state are followed once. The state is what can be seen of it: the
 * charts, the messages in flight and the shares. No faults: only what the network may do anyway.
 */
import type { Exploration, Frame, Scene } from './protocol.ts';
import { Session } from './session.ts';

interface Node {
  readonly path: readonly number[];
  /** Indices of what the network may do next. */
  readonly next: readonly number[];
}

/**
 * Breadth first from `start`; stops at the first violation.
 * @param onProgress called after every state
 */
export async function explore(
  scene: Scene,
  start: readonly number[],
  onProgress: (exploration: Exploration) => void,
  statesMax = 20_000,
): Promise<Exploration> {
  const seen = new Set<string>();
  const queue: Node[] = [nodeOf(await Session.at(undefined, scene, start))];
  let orders = 0;
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    for (const index of next.next) {
      const path = [...next.path, index];
      const session = await Session.at(undefined, scene, path);
      orders++;
      const property = violated(session.frames.at(-1) as Frame);
      const report = { states: seen.size + 1, orders };
      if (property !== undefined) return { ...report, status: 'found', found: { path, property } };
      const state = fingerprint(session);
      if (seen.has(state)) continue;
      seen.add(state);
      queue.push(nodeOf(session));
      onProgress({ ...report, status: 'running', found: null });
      if (seen.size >= statesMax) return { ...report, status: 'limit', found: null };
    }
  }
  return { states: seen.size, orders, status: 'exhausted', found: null };
}

function nodeOf({ path, choices }: Session): Node {
  const next = choices.flatMap(({ kind }, i) =>
    kind === 'deliver' || kind === 'start' ? [i] : [],
  );
  return { path: [...path], next };
}

function violated(frame: Frame): string | undefined {
  for (const { verdicts } of frame.sides) {
    const verdict = verdicts.find(({ violation }) => violation !== null);
    if (verdict !== undefined) return verdict.id;
  }
  return undefined;
}

function fingerprint(session: Session): string {
  const charts = new Map<string, string>();
  for (const { sides } of session.frames) {
    for (const record of sides[0]?.records ?? []) {
      if (record.kind === 'step') {
        charts.set(record.actor, JSON.stringify([record.state, record.context]));
      } else if (record.kind === 'end') charts.set(record.actor, record.status);
    }
  }
  const side = session.frames.at(-1)?.sides[0];
  const messages = side?.messages.map(({ label, phase, write }) => [label, phase, write]) ?? [];
  return JSON.stringify([
    [...charts].sort(),
    messages.map((m) => JSON.stringify(m)).sort(),
    side?.servers,
    side?.operations.map(({ status, result }) => [status, result]),
  ]);
}
