/**
 * @module met: what a walk has met, as far as its entry tells, and what is told of it to programs that
 * are made for Tahoe's `t=stream-manifest`.
 */
import type { Child } from '../directory/child.ts';
import type { Caps } from '../directory/target.ts';
import { withHidden } from '../hidden.ts';
import { requireObject } from '../refusal.ts';
import type { Known } from './root.ts';

/** How much there is in a directory. */
export interface Extent {
  /** Names in it that lead somewhere, or may do so for another client. */
  readonly children: number;
  /** Bytes of its table. */
  readonly size: number;
}

/** An object, or an entry that leads to none. */
export interface Met {
  /** Names from the directory where the walk began, whose own path is empty. */
  readonly path: readonly string[];
  /** `ill-formed`: `problem` says why its entry leads nowhere; a name that is none is empty. */
  readonly kind: Child['kind'];
  /** Whether it can change; undefined where nobody can say. */
  readonly mutable: Child['mutable'];
  /** `sdmf` or `mdmf` of what can change, `chk` or `lit` of what cannot; else undefined. */
  readonly format: Child['format'];
  /** Bytes, of an immutable one. */
  readonly size: number | undefined;
  /** In base32; undefined where no server knows it. */
  readonly storageIndex: string | undefined;
  /** What is wrong with its entry. */
  readonly problem: string | undefined;
  /** Of a directory that could be read. */
  readonly extent: Extent | undefined;
  /** Why a directory could not be read: what is below it is not met. */
  readonly error: unknown;
  /** The texts of its caps: secrets, which printing or copying does not show. */
  readonly caps: Caps;
}

/** @param read of a directory: what is in it, or why that is not known */
export function metOf(
  child: Known,
  path: readonly string[],
  read: { readonly extent?: Extent; readonly error?: unknown } = {},
): Met {
  const { kind, mutable, format, size, problem, caps } = child;
  const shown = {
    ...{ path, kind, mutable, format, size, problem },
    storageIndex: storageIndexIn(caps),
    extent: read.extent,
    error: read.error,
  };
  if (!child.isShadowed) return withHidden(shown, 'caps', caps);
  const shadowed = { mutable: undefined, format: undefined, size: undefined };
  return withHidden(
    {
      ...{ ...shown, ...shadowed, kind: 'ill-formed' as const, storageIndex: undefined },
      problem: 'a later entry has the same name',
    },
    'caps',
    {},
  );
}

/** @throws BadArgumentError unless it is one, with its caps: a copy, `{ ...met }`, has none */
export function checkMet(met: Met): void {
  const { caps } = requireObject('met', met, 'what a walk has met');
  requireObject('met.caps', caps, 'the caps of what a walk has met');
}

/** It stands in every verify cap in the same place. */
export function storageIndexIn({ verify }: Caps): string | undefined {
  return verify?.split(':')[2];
}

/** A line of Tahoe's manifest: its fields, in its order, with `""` where there is nothing. */
export interface ManifestEntry {
  /** Names from the directory where the walk began. */
  readonly path: readonly string[];
  /** A secret, as `repaircap` is. */
  readonly cap: string;
  /** `file`, `directory`, `unknown` or `ill-formed`. */
  readonly type: Child['kind'];
  /** Empty where there is none. */
  readonly verifycap: string;
  /** What lets its holder repair it: the write cap, or of an immutable file the verify cap. */
  readonly repaircap: string;
  /** In base32; empty where no server knows it. */
  readonly 'storage-index': string;
}

/** With the caps in it. @throws BadArgumentError */
export function manifestEntryOf(met: Met): ManifestEntry {
  checkMet(met);
  const { path, kind, mutable, storageIndex, caps } = met;
  const { write, read, verify } = caps;
  return {
    path,
    cap: write ?? read ?? '',
    type: kind,
    verifycap: verify ?? '',
    repaircap: (mutable === false ? verify : verify && write) ?? '',
    'storage-index': storageIndex ?? '',
  };
}
