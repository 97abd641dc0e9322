/**
 * @module first-scene: the scene that the page opens with, run when the page is built, so that a
 * visitor sees it before the engine is there. The engine comes when something is to happen, and
 * runs the same choices again.
 */
import { loadOperations } from '../../src/runtime/late-operations.ts';
import type { Frame } from './engine/protocol.ts';
import { Session } from './engine/session.ts';
import { type Preset, presets } from './presets.ts';

// The build closes what loads modules before it calls these functions.
await loadOperations();

export interface FirstScene {
  readonly preset: string;
  readonly path: readonly number[];
  readonly frames: readonly Frame[];
}

export async function firstScene(): Promise<FirstScene> {
  const { id, scene, labels } = presets[0] as Preset;
  const session = await Session.begin(scene);
  await session.follow(labels);
  return { preset: id, path: session.path, frames: session.frames };
}
