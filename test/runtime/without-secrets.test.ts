/** What servers say of failures, without what they should not have said. */
import { expect, test } from 'vitest';
import { withoutSecrets } from '../../src/redacted.ts';
import { toJson } from '../../src/runtime/trace.ts';

const base32 = 'abcdefghijklmnopqrstuvwxyz';
const hex = '0123456789abcdef'.repeat(4);

test.each([
  [`bad key ${base32}`, 'bad key abcdefgh…'],
  [`enabler ${hex}!`, 'enabler 01234567…!'],
  [`enabler ${hex.toUpperCase()}!`, 'enabler 01234567…!'],
  ['at pb://pin@host:1/swissnum#v=1 now', 'at pb://… now'],
  [`GET /storage/${base32}234567/v1`, 'GET /storage/abcdefgh…/v1'],
  ['Authorization: Tahoe-LAFS c2Vzc2FtZSBvcGVu', 'Authorization: Tahoe-LAFS …'],
  [
    'X-Tahoe-Authorization: write-enabler c2Vzc2FtZSBvcGVuIQ==',
    'X-Tahoe-Authorization: write-enabler …',
  ],
  ['{"writeEnabler":"c2Vzc2FtZSBvcGVuIQ=="}', '{"writeEnabler":"…"}'],
  ['lease_secret=c2Vzc2FtZSBvcGVuIQ==', 'lease_secret=…'],
  ['sent c2Vzc2FtZSBvcGVuc2VzYW1lIG9wZW5zZXNhbWUgb3A=!', 'sent c2Vzc2Ft…!'],
  [`no URI:SSK:${base32}:${base32}`, 'no URI:…'],
  ['no Tahoe-LAFS server, or bad write-enabler', 'no Tahoe-LAFS server, or bad write-enabler'],
  ['connection refused by 127.0.0.1:3456', 'connection refused by 127.0.0.1:3456'],
])('%s', (text, told) => {
  expect(withoutSecrets(text)).toBe(told);
  expect(toJson({ failure: { detail: text }, error: new Error(text) })).toEqual({
    failure: { detail: told },
    error: { error: 'Error', message: told },
  });
});

test('a storage index in a field that is for it stays', () => {
  expect(toJson({ file: base32 })).toEqual({ file: base32 });
});
