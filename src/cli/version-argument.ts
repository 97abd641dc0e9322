/**
 * @module version-argument: a version on the command line: `3-5f0e…`, its seqnum and its root hash.
 */
import { InvalidArgumentError } from 'commander';
import type { VersionName } from '../version-name.ts';
import { wholeNumber } from './numbers.ts';

/** All of the root hash: what is cut short is no name. */
export function versionText({ seqnum, rootHash }: VersionName): string {
  return `${seqnum}-${rootHash}`;
}

/** @throws InvalidArgumentError, which commander completes with the option's name */
export function versionName(text: string): VersionName {
  const [, seqnum, rootHash] = /^(\d+)-([0-9a-f]{64})$/.exec(text) ?? [];
  if (seqnum === undefined || rootHash === undefined) {
    throw new InvalidArgumentError('It must be a seqnum, "-", and a root hash of 64 hex digits.');
  }
  return { seqnum: wholeNumber(seqnum), rootHash };
}
