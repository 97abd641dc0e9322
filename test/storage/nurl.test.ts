import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { MalformedNurlError } from '../../src/errors.ts';
import { parseNurl, tcpNurls } from '../../src/storage/nurl.ts';

const HASH = '37tiX1u7I0wlTAoJpAQvvQ_628TDVXIyttpm5OjIjDg';
const SWISSNUM = 'xn6s5s4v4yoknwze5nioz7zvhzbijrja';
const NURL = `pb://${HASH}@127.0.0.1:41000/${SWISSNUM}#v=1`;

describe('a NURL', () => {
  test('says where the server is, how to know it, and what it asks to be shown', () => {
    const nurl = parseNurl(NURL);
    expect(nurl).toMatchObject({ spkiHash: HASH, host: '127.0.0.1', port: 41000 });
    const base64 = 'eG42czVzNHY0eW9rbnd6ZTVuaW96N3p2aHpiaWpyamE=';
    expect(nurl.authorization()).toBe(`Tahoe-LAFS ${base64}`);
    expect(nurl.reveal()).toBe(NURL);
  });

  test.each([
    ['example.org', 'example.org', 443],
    ['example.org:1', 'example.org', 1],
    ['example.org:65535', 'example.org', 65_535],
    ['[2001:db8::1]:443', '2001:db8::1', 443],
    ['[::1]', '::1', 443],
  ])('may be at %s', (place, host, port) => {
    const nurl = parseNurl(`pb://${HASH}@${place}/${SWISSNUM}#v=1`);
    expect(nurl).toMatchObject({ host, port });
    expect(parseNurl(nurl.reveal())).toEqual(nurl);
  });

  test('keeps its swissnum to itself', () => {
    const nurl = parseNurl(NURL);
    const shown = [
      `${nurl}`,
      JSON.stringify({ nurl }),
      inspect(nurl, { showHidden: true, depth: Infinity }),
      inspect({ deep: [nurl] }, { depth: Infinity }),
      Object.keys(nurl).join(),
    ];
    expect(shown.filter((text) => text.includes(SWISSNUM))).toEqual([]);
    expect(`${nurl}`).toBe(`pb://${HASH}@127.0.0.1:41000/[swissnum]#v=1`);
  });

  test.each([
    ['', 'NURL', 'is not pb://hash@host/swissnum'],
    [`${HASH}@h/${SWISSNUM}#v=1`, 'NURL', 'is not pb://hash@host/swissnum'],
    [`pb://${HASH}/${SWISSNUM}#v=1`, 'NURL', 'is not pb://hash@host/swissnum'],
    [`${NURL}\n`, 'fragment', 'must be v=1'],
    [`https://${HASH}@h/${SWISSNUM}#v=1`, 'scheme', 'https is not supported, pb is'],
    [`pb+tor://${HASH}@h.onion/${SWISSNUM}#v=1`, 'scheme', 'pb+tor is not supported, pb is'],
    [`pb://${HASH}@h/${SWISSNUM}`, 'fragment', 'must be v=1'],
    [`pb://${HASH}@h/${SWISSNUM}#v=2`, 'fragment', 'must be v=1'],
    [`pb://${HASH}=@h/${SWISSNUM}#v=1`, 'hash', 'is not 43 characters of base64url'],
    [`pb://${HASH.slice(1)}@h/${SWISSNUM}#v=1`, 'hash', 'is not 43 characters of base64url'],
    // A last character with spare bits set is the hash of nothing.
    [`pb://${HASH.slice(0, -1)}h@h/${SWISSNUM}#v=1`, 'hash', 'is not 43 characters of base64url'],
    [`pb://${HASH}@/${SWISSNUM}#v=1`, 'host', 'is not host:port'],
    [`pb://${HASH}@h:/${SWISSNUM}#v=1`, 'host', 'is not host:port'],
    [`pb://${HASH}@::1/${SWISSNUM}#v=1`, 'host', 'is not host:port'],
    [`pb://${HASH}@h:x/${SWISSNUM}#v=1`, 'host', 'is not host:port'],
    [`pb://${HASH}@h:0/${SWISSNUM}#v=1`, 'port', '0 is not between 1 and 65535'],
    [`pb://${HASH}@h:65536/${SWISSNUM}#v=1`, 'port', '65536 is not between 1 and 65535'],
    [`pb://${HASH}@h/#v=1`, 'swissnum', 'is not one path segment of printable ASCII'],
    [`pb://${HASH}@h/${SWISSNUM}/x#v=1`, 'swissnum', 'is not one path segment of printable ASCII'],
    [`pb://${HASH}@h/${SWISSNUM}%zz#v=1`, 'swissnum', 'is not one path segment of printable ASCII'],
    [`pb://${HASH}@h/${SWISSNUM}é#v=1`, 'swissnum', 'is not one path segment of printable ASCII'],
  ])('is not %j', (text, field, problem) => {
    expect(() => parseNurl(text)).toThrowError(new MalformedNurlError(field, problem));
    expect(new MalformedNurlError(field, problem).message).not.toContain(SWISSNUM);
  });
});

test.each(['\0', '\u007f', '\u202e', '\u00a0', 'm\u00fcller.example', 'a b', "'", '%00', '\ud800'])(
  'a host with %j is refused before anybody connects to it',
  (host) => {
    const text = `pb://${HASH}@h${host}:1/${SWISSNUM}#v=1`;
    expect(() => parseNurl(text)).toThrowError(new MalformedNurlError('host', 'is not host:port'));
  },
);

test('of an announcement, the NURLs over TCP are taken', () => {
  const tor = NURL.replace('pb:', 'pb+tor:');
  expect(tcpNurls([tor, NURL, tor]).map((nurl) => nurl.reveal())).toEqual([NURL]);
  const none = new MalformedNurlError('scheme', 'none of the NURLs is pb://');
  expect(() => tcpNurls([tor])).toThrowError(none);
  expect(tcpNurls(['pb://x', NURL]).map((nurl) => nurl.reveal())).toEqual([NURL]);
  const malformed = new MalformedNurlError('NURL', 'is not pb://hash@host/swissnum');
  expect(() => tcpNurls(['pb://x', tor])).toThrowError(malformed);
});
