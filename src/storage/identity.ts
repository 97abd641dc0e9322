/**
 * @module identity: who a server is that nobody has announced: what is not given is made from its
 * id.
 */
import { checkIdentity, refuse, requireOptions } from '../arguments.ts';
import { utf8 } from '../bytes.ts';
import { sha256d } from '../crypto/hash.ts';
import { TUB_ID_LENGTH } from './request.ts';
import type { ServerId } from './server.ts';

/** What a server is called, and where it stands in the order of a slot. */
export interface IdentityOptions {
  /** No two servers of a grid have the same. */
  readonly id: ServerId;
  /** By default the id. */
  readonly nickname?: string | undefined;
  /** 20 bytes; by default made from the id. */
  readonly tubId?: Uint8Array | undefined;
  /** By default the id as UTF-8. */
  readonly permutationSeed?: Uint8Array | undefined;
}

/** All of it. */
export type Identity = {
  readonly [Name in keyof IdentityOptions]-?: Exclude<IdentityOptions[Name], undefined>;
};

/** @throws BadArgumentError */
export function identityOf(options: IdentityOptions): Identity {
  requireOptions(options);
  const { id, nickname = id } = options;
  if (typeof id !== 'string') refuse('id', id, 'a string');
  const { permutationSeed = utf8(id) } = options;
  const { tubId = sha256d(utf8(id)).slice(0, TUB_ID_LENGTH) } = options;
  const identity = { id, nickname, tubId, permutationSeed };
  checkIdentity(identity);
  return identity;
}
