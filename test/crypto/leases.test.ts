import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { bytesToHex, fromBase32, toBase32, utf8 } from '../../src/bytes.ts';
import { deriveLeaseSecrets } from '../../src/crypto/leases.ts';

/** Tahoe docs/specifications/derive_renewal_secret.py: its four test vectors, as data. */
const PUBLISHED = [
  {
    leaseSecret: 'boity2cdh7jvl3ltaeebuiobbspjmbuopnwbde2yeh4k6x7jioga',
    storageIndex: 'vrttmwlicrzbt7gh5qsooogr7u',
    tubId: 'v67jiisoty6ooyxlql5fuucitqiok2ic',
    renewSecret: 'osd6wmc5vz4g3ukg64sitmzlfiaaordutrez7oxdp5kkze7zp5zq',
  },
  {
    leaseSecret: 'boity2cdh7jvl3ltaeebuiobbspjmbuopnwbde2yeh4k6x7jioga',
    storageIndex: '75gmmfts772ww4beiewc234o5e',
    tubId: 'v67jiisoty6ooyxlql5fuucitqiok2ic',
    renewSecret: '35itmusj7qm2pfimh62snbyxp3imreofhx4djr7i2fweta75szda',
  },
  {
    leaseSecret: 'boity2cdh7jvl3ltaeebuiobbspjmbuopnwbde2yeh4k6x7jioga',
    storageIndex: '75gmmfts772ww4beiewc234o5e',
    tubId: 'lh5fhobkjrmkqjmkxhy3yaonoociggpz',
    renewSecret: 'srrlruge47ws3lm53vgdxprgqb6bz7cdblnuovdgtfkqrygrjm4q',
  },
  {
    leaseSecret: 'vacviff4xfqxsbp64tdr3frg3xnkcsuwt5jpyat2qxcm44bwu75a',
    storageIndex: '75gmmfts772ww4beiewc234o5e',
    tubId: 'lh5fhobkjrmkqjmkxhy3yaonoociggpz',
    renewSecret: 'b4jledjiqjqekbm2erekzqumqzblegxi23i5ojva7g7xmqqnl5pq',
  },
];

const LEASE_SECRET = utf8('lease secretxxxxxxxxxxxxxxxxxxxx');
const STORAGE_INDEX = utf8('storage indexxxx');
const TUB_ID = utf8('tub idxxxxxxxxxxxxxx');

test.each(PUBLISHED)('published renewal secret $renewSecret', (vector) => {
  const { renewSecret } = deriveLeaseSecrets(
    fromBase32(vector.leaseSecret)!,
    fromBase32(vector.storageIndex)!,
    fromBase32(vector.tubId)!,
  );
  expect(toBase32(renewSecret)).toBe(vector.renewSecret);
});

describe('the chain written out by hand (mutable-format.md section 1.4)', () => {
  const sha256d = (text: string) =>
    createHash('sha256')
      .update(createHash('sha256').update(text, 'latin1').digest())
      .digest()
      .toString('latin1');
  const ns = (text: string) => `${text.length}:${text},`;

  test.each([
    ['renewSecret', 'renewal'],
    ['cancelSecret', 'cancel'],
  ] as const)('%s', (property, word) => {
    const client = sha256d(
      `32:lease secretxxxxxxxxxxxxxxxxxxxx,allmydata_client_${word}_secret_v1`,
    );
    const file = sha256d(
      `${ns(`allmydata_file_${word}_secret_v1`)}${ns(client)}16:storage indexxxx,`,
    );
    const expected = sha256d(
      `${ns(`allmydata_bucket_${word}_secret_v1`)}${ns(file)}20:tub idxxxxxxxxxxxxxx,`,
    );
    const secrets = deriveLeaseSecrets(LEASE_SECRET, STORAGE_INDEX, TUB_ID);
    expect(bytesToHex(secrets[property])).toBe(Buffer.from(expected, 'latin1').toString('hex'));
  });
});
