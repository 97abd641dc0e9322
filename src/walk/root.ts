/**
 * @module root: the directory where a walk begins, which is known before anything is loaded for it.
 */
import { formatCap } from '../caps.ts';
import type { Child } from '../directory/child.ts';
import { type Target, targetOf, textsFor } from '../directory/target.ts';
import type { Directory } from '../directory.ts';

/** What can be told of an object before anything of it is read. */
export type Known = Pick<
  Child,
  'kind' | 'mutable' | 'format' | 'size' | 'problem' | 'isShadowed' | 'caps'
>;

/** The directory where a walk begins. @throws InsufficientCapError for a verify cap */
export function rootOf({ file, readCap }: Directory): Known {
  const texts = textsFor(file === undefined ? readCap : formatCap(file.cap));
  const { caps, ...target } = targetOf(texts, true) as Target;
  const { kind, mutable, format, size } = target;
  return { kind, mutable, format, size, problem: undefined, isShadowed: false, caps };
}
