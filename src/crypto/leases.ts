/**
 * @module leases: the two secrets of a lease on one slot at one server (docs/format.md §1.3).
 * Tahoe's `lease.rst` errs: the TubID is hashed as 20 raw bytes, not in base32.
 */
import { netstring, utf8 } from '../bytes.ts';
import type { WriteSecrets } from '../storage/server.ts';
import { type Tag, taggedHash, taggedPairHash, tagOf } from './hash.ts';

/** What of the secrets a lease takes. */
export type LeaseSecrets = Pick<WriteSecrets, 'renewSecret' | 'cancelSecret'>;

/** What differs between the renewal and the cancel chain. */
interface Chain {
  readonly client: Uint8Array;
  readonly file: Tag;
  readonly server: Tag;
}

const RENEW: Chain = {
  client: utf8('allmydata_client_renewal_secret_v1'),
  file: tagOf('allmydata_file_renewal_secret_v1'),
  server: tagOf('allmydata_bucket_renewal_secret_v1'),
};

const CANCEL: Chain = {
  client: utf8('allmydata_client_cancel_secret_v1'),
  file: tagOf('allmydata_file_cancel_secret_v1'),
  server: tagOf('allmydata_bucket_cancel_secret_v1'),
};

/**
 * The two 32-byte lease secrets of a slot at one server.
 * @param leaseSecret 32 random bytes, the same for all leases of one client
 * @param tubId the server's 20-byte TubID
 */
export function deriveLeaseSecrets(
  leaseSecret: Uint8Array,
  storageIndex: Uint8Array,
  tubId: Uint8Array,
): LeaseSecrets {
  const secretOf = ({ client, file, server }: Chain): Uint8Array => {
    // In Tahoe's first step the secret is the tag and the constant text is the value.
    const clientSecret = taggedHash(netstring(leaseSecret), client);
    return taggedPairHash(server, taggedPairHash(file, clientSecret, storageIndex), tubId);
  };
  return { renewSecret: secretOf(RENEW), cancelSecret: secretOf(CANCEL) };
}
