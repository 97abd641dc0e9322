/**
 * @module on-demand: modules that are loaded when they are first needed. What a bundler makes of them is
 * files of their own, so that a page does not wait for what it may never do.
 */
import { goingOn } from './turn.ts';

/** Loads once; where that fails (the network is gone, say), the next call tries again. */
export function onDemand<Module>(load: () => Promise<Module>): () => Promise<Module> {
  let loaded: Promise<Module> | undefined;
  return () => {
    loaded ??= goingOn(load()).catch((problem) => {
      loaded = undefined;
      throw problem;
    });
    return loaded;
  };
}
