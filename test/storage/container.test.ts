import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes, hexToBytes, u64, utf8 } from '../../src/bytes.ts';
import { BadContainerError } from '../../src/errors.ts';
import {
  type ContainerHeader,
  encodeExtraLeases,
  encodeHeader,
  type Lease,
  parseExtraCount,
  parseHeader,
  parseLeases,
  renewOrAddLease,
  storedSecret,
} from '../../src/storage/container.ts';
import legacy from '../vectors/legacy-sdmf-v1.json' with { type: 'json' };

const bytes = (length: number, value: number) => new Uint8Array(length).fill(value);

function leaseOf(value: number): Lease {
  return {
    owner: 1,
    expires: 1_000 + value,
    renew: bytes(32, value),
    cancel: bytes(32, value + 100),
    nodeId: bytes(20, value + 200),
  };
}

const HEADER: ContainerHeader = {
  version: 2,
  nodeId: bytes(20, 0x4e),
  writeEnabler: bytes(32, 0x77),
  dataLength: 5,
  extraLeaseOffset: 473,
  leases: [leaseOf(1), undefined, leaseOf(3), undefined],
};

describe('a header', () => {
  test('is laid out as mutable-format §6.1 says', () => {
    const expected = concatBytes(
      utf8('Tahoe mutable container v2\n'),
      hexToBytes('c355219925'),
      bytes(20, 0x4e),
      bytes(32, 0x77),
      u64(5),
      u64(473),
      Uint8Array.of(0, 0, 0, 1, 0, 0, 0x03, 0xe9),
      bytes(32, 1),
      bytes(32, 101),
      bytes(20, 201),
      bytes(92, 0),
      Uint8Array.of(0, 0, 0, 1, 0, 0, 0x03, 0xeb),
      bytes(32, 3),
      bytes(32, 103),
      bytes(20, 203),
      bytes(92, 0),
    );
    expect(encodeHeader(HEADER)).toEqual(expected);
    expect(parseHeader(expected, 477, 'here')).toEqual(HEADER);
  });

  test('of version 1 differs in its magic only', () => {
    const one = encodeHeader({ ...HEADER, version: 1 });
    expect(one.slice(0, 32)).toEqual(
      concatBytes(utf8('Tahoe mutable container v1\n'), hexToBytes('750944038e')),
    );
    expect(one.slice(32)).toEqual(encodeHeader(HEADER).slice(32));
    expect(parseHeader(one, 477, 'here').version).toBe(1);
  });

  test('of each container from before MDMF comes back as it was', () => {
    for (const text of Object.values(legacy.containers_base64)) {
      const container = Uint8Array.from(Buffer.from(text, 'base64'));
      const header = parseHeader(container.subarray(0, 468), container.length, 'here');
      expect(header).toMatchObject({ version: 1, dataLength: 2044, extraLeaseOffset: 2512 });
      expect(encodeHeader(header)).toEqual(container.slice(0, 468));
      expect(parseExtraCount(container.slice(2512, 2516), header, container.length, 'here')).toBe(
        0,
      );
      expect(container).toHaveLength(2516);
    }
  });

  test('of any bytes is refused, or stays within its file', () => {
    const field = fc.oneof(fc.nat(3000), fc.constant(2 ** 53 - 1), fc.nat({ max: 2 ** 40 }));
    fc.assert(
      fc.property(field, field, field, fc.nat(468), (data, leases, fileLength, damaged) => {
        const start = encodeHeader({ ...HEADER, dataLength: data, extraLeaseOffset: leases });
        if (damaged < 32) start[damaged] = (start[damaged] as number) ^ 1;
        const parse = () => parseHeader(start.subarray(0, fileLength), fileLength, 'here');
        const sound = 468 + data <= leases && leases + 4 <= fileLength && damaged >= 32;
        if (sound) expect(parse()).toMatchObject({ dataLength: data, extraLeaseOffset: leases });
        else expect(parse).toThrowError(BadContainerError);
      }),
    );
  });

  test('with a length above 2^53 is refused, not rounded', () => {
    const start = encodeHeader(HEADER);
    start.set(hexToBytes('0020000000000000'), 84);
    expect(() => parseHeader(start, Number.MAX_SAFE_INTEGER, 'here')).toThrowError(
      new BadContainerError('here', 'data length: beyond the end of the file'),
    );
  });
});

describe('extra leases', () => {
  test('are a count and as many slots', () => {
    const extra = [leaseOf(5), leaseOf(6)];
    const encoded = encodeExtraLeases(extra);
    expect(encoded).toHaveLength(4 + 2 * 92);
    expect(parseExtraCount(encoded.subarray(0, 4), HEADER, 473 + encoded.length, 'here')).toBe(2);
    expect(parseLeases(encoded.subarray(4))).toEqual(extra);
    expect(encodeExtraLeases([])).toEqual(bytes(4, 0));
  });

  test('are refused when the file has no room for them', () => {
    const fileLength = 473 + 4 + 2 * 92;
    for (const count of ['00000003', 'ffffffff']) {
      expect(() => parseExtraCount(hexToBytes(count), HEADER, fileLength, 'here')).toThrowError(
        new BadContainerError(
          'here',
          `extra-lease count: ${Number.parseInt(count, 16)} do not fit the file`,
        ),
      );
    }
  });
});

describe('a lease', () => {
  const secrets = { renewSecret: utf8('r'.repeat(32)), cancelSecret: utf8('k'.repeat(32)) };
  const request = { version: 2, secrets, nodeId: bytes(20, 9), now: 1_000.9 } as const;
  const own: Lease = {
    owner: 1,
    expires: 1_000 + 31 * 86_400,
    renew: storedSecret(2, secrets.renewSecret),
    cancel: storedSecret(2, secrets.cancelSecret),
    nodeId: bytes(20, 9),
  };

  test('is stored hashed in version 2, in clear in version 1', () => {
    // The digest that a real server stored for the cancel secret of 32 times "k".
    expect(storedSecret(2, secrets.cancelSecret)).toEqual(
      hexToBytes('0a8af6e089d899c27a730e26131a52c77963d929ba730db951651785243fe96b'),
    );
    expect(storedSecret(1, secrets.cancelSecret)).toEqual(secrets.cancelSecret);
    expect(renewOrAddLease([], { ...request, version: 1 })).toEqual([
      { ...own, renew: secrets.renewSecret, cancel: secrets.cancelSecret },
    ]);
  });

  test('takes the first empty slot, else a new one at the end', () => {
    const [a, b] = [leaseOf(1), leaseOf(2)];
    expect(renewOrAddLease([a, undefined, b, undefined], request)).toEqual([a, own, b, undefined]);
    expect(renewOrAddLease([a, b], request)).toEqual([a, b, own]);
  });

  test('is renewed where it is, whoever accepted it', () => {
    const old = { ...own, expires: 5, owner: 7, nodeId: bytes(20, 1) };
    expect(renewOrAddLease([undefined, old], request)).toEqual([
      undefined,
      { ...old, expires: own.expires },
    ]);
    const later = { ...own, expires: own.expires + 1 };
    expect(renewOrAddLease([later], request)).toEqual([later]);
  });

  test('ends at the latest when 32 bits do', () => {
    const far = { ...request, now: 2 ** 33 };
    expect(renewOrAddLease([], far)).toEqual([{ ...own, expires: 2 ** 32 - 1 }]);
  });
});
