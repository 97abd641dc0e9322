/**
 * @module lying-headers: what a header can say wrongly, and what is said of it.
 *
 * The shares are of 140,000 bytes in 3-of-10 with the key of the golden vectors. What is signed can
 * be caught by the signature at the latest; of the offset table, which is not, only the bounds of
 * the private key can be wrong unnoticed: no reader needs it, and a writer tries it.
 */

/** A value: relative to the true one, or absolute and cut to the length of the field. */
export type Value = '+1' | '-1' | bigint;

/** Where a field is in the header, in bytes; values for it, and the reason why each is refused. */
export type Field = readonly [
  name: string,
  offset: number,
  length: number,
  values: readonly (readonly [Value, string])[],
];

const huge = 2n ** 64n - 1n;
const unsigned = 'signature: it does not sign this header';

export const lies: Record<'sdmf' | 'mdmf', readonly Field[]> = {
  sdmf: [
    [
      'the format',
      0,
      1,
      [
        ['+1', 'segment size: above 2^53-1'],
        ['-1', 'unknown share version 255'],
        [0n, 'good'],
        [huge, 'unknown share version 255'],
      ],
    ],
    [
      'the sequence number',
      1,
      8,
      [
        ['+1', unsigned],
        ['-1', unsigned],
        [0n, unsigned],
        [2n ** 32n, unsigned],
        [2n ** 53n - 1n, unsigned],
        [huge, 'seqnum: above 2^53-1'],
      ],
    ],
    ['the root hash', 9, 32, [['+1', unsigned]]],
    ['the IV', 41, 16, [['+1', unsigned]]],
    [
      'k',
      57,
      1,
      [
        ['+1', 'segment size: 140001 for one segment of 140000 bytes in 4 blocks'],
        ['-1', 'segment size: 140001 for one segment of 140000 bytes in 2 blocks'],
        [0n, 'required shares: 0 of 10'],
        [huge, 'required shares: 255 of 10'],
      ],
    ],
    [
      'N',
      58,
      1,
      [
        ['+1', unsigned],
        ['-1', unsigned],
        [0n, 'total shares: none'],
        [huge, 'share hash chain: 136 bytes, not 272'],
      ],
    ],
    [
      'the segment size',
      59,
      8,
      [
        ['+1', 'segment size: 140002 for one segment of 140000 bytes in 3 blocks'],
        ['-1', 'segment size: 140000 for one segment of 140000 bytes in 3 blocks'],
        [0n, 'segment size: 0 for one segment of 140000 bytes in 3 blocks'],
        [2n ** 32n, 'segment size: 4294967296 for one segment of 140000 bytes in 3 blocks'],
        [
          2n ** 53n - 1n,
          'segment size: 9007199254740991 for one segment of 140000 bytes in 3 blocks',
        ],
        [huge, 'segment size: above 2^53-1'],
      ],
    ],
    [
      'the data length',
      67,
      8,
      [
        ['+1', unsigned],
        ['-1', unsigned],
        [0n, 'segment size: 140001 for one segment of 0 bytes in 3 blocks'],
        [2n ** 32n, 'segment size: 140001 for one segment of 4294967296 bytes in 3 blocks'],
        [
          2n ** 53n - 1n,
          'segment size: 140001 for one segment of 9007199254740991 bytes in 3 blocks',
        ],
        [huge, 'data length: above 2^53-1'],
      ],
    ],
    [
      'the offset of the signature',
      75,
      4,
      [
        ['+1', 'verification key: it is not the key of the cap'],
        ['-1', 'verification key: it is not the key of the cap'],
        [0n, 'offset of signature: 0 is before 107'],
        [huge, 'offset of share hash chain: 657 is before 4294967295'],
      ],
    ],
    [
      'the offset of the share hash chain',
      79,
      4,
      [
        ['+1', 'share hash chain: 135 bytes, not 136'],
        ['-1', 'share hash chain: 137 bytes, not 136'],
        [0n, 'offset of share hash chain: 0 is before 401'],
        [huge, 'offset of block hash tree: 793 is before 4294967295'],
      ],
    ],
    [
      'the offset of the block hash tree',
      83,
      4,
      [
        ['+1', 'share hash chain: 137 bytes, not 136'],
        ['-1', 'share hash chain: 135 bytes, not 136'],
        [0n, 'offset of block hash tree: 0 is before 657'],
        [huge, 'offset of share data: 825 is before 4294967295'],
      ],
    ],
    [
      'the offset of the share data',
      87,
      4,
      [
        ['+1', 'block hash tree: 33 bytes, not 32'],
        ['-1', 'block hash tree: 31 bytes, not 32'],
        [0n, 'offset of share data: 0 is before 793'],
        [huge, 'offset of encrypted private key: 47492 is before 4294967295'],
      ],
    ],
    [
      'the offset of the private key',
      91,
      8,
      [
        ['+1', 'share data: 46668 bytes, not 46667'],
        ['-1', 'share data: 46666 bytes, not 46667'],
        [0n, 'offset of encrypted private key: 0 is before 825'],
        [2n ** 32n, 'end of share: 48709 is before 4294967296'],
        [2n ** 53n - 1n, 'end of share: 48709 is before 9007199254740991'],
        [huge, 'offset of encrypted private key: above 2^53-1'],
      ],
    ],
    [
      'the end of the share',
      99,
      8,
      [
        ['+1', 'good'],
        ['-1', 'good'],
        [0n, 'end of share: 0 is before 47492'],
        [2n ** 32n, 'encrypted private key: 4294919804 bytes, more than 16384'],
        [2n ** 53n - 1n, 'encrypted private key: 9007199254693499 bytes, more than 16384'],
        [huge, 'end of share: above 2^53-1'],
      ],
    ],
  ],
  mdmf: [
    [
      'the format',
      0,
      1,
      [
        ['+1', 'unknown share version 2'],
        ['-1', 'segment size: 123 for one segment of 1340 bytes in 34 blocks'],
        [0n, 'segment size: 123 for one segment of 1340 bytes in 34 blocks'],
        [huge, 'unknown share version 255'],
      ],
    ],
    [
      'the sequence number',
      1,
      8,
      [
        ['+1', unsigned],
        ['-1', unsigned],
        [0n, unsigned],
        [2n ** 32n, unsigned],
        [2n ** 53n - 1n, unsigned],
        [huge, 'seqnum: above 2^53-1'],
      ],
    ],
    ['the root hash', 9, 32, [['+1', unsigned]]],
    [
      'k',
      41,
      1,
      [
        ['+1', 'segment size: 131073 is not a multiple of 4'],
        ['-1', 'segment size: 131073 is not a multiple of 2'],
        [0n, 'required shares: 0 of 10'],
        [huge, 'required shares: 255 of 10'],
      ],
    ],
    [
      'N',
      42,
      1,
      [
        ['+1', unsigned],
        ['-1', unsigned],
        [0n, 'total shares: none'],
        [huge, 'share hash chain: 136 bytes, not 272'],
      ],
    ],
    [
      'the segment size',
      43,
      8,
      [
        ['+1', 'segment size: 131074 is not a multiple of 3'],
        ['-1', 'segment size: 131072 is not a multiple of 3'],
        [0n, 'segment size: 0 is not a multiple of 3'],
        [2n ** 32n, 'segment size: 4294967296 is not a multiple of 3'],
        [2n ** 53n - 1n, 'segment size: 9007199254740991 is not a multiple of 3'],
        [huge, 'segment size: above 2^53-1'],
      ],
    ],
    [
      'the data length',
      51,
      8,
      [
        ['+1', unsigned],
        ['-1', unsigned],
        [0n, 'share data: 46699 bytes, not 0'],
        [2n ** 32n, 'share data: 46699 bytes, not 1432180054'],
        [2n ** 53n - 1n, 'share data: 46699 bytes, not 3003499254819563'],
        [huge, 'data length: above 2^53-1'],
      ],
    ],
    [
      'the offset of the private key',
      59,
      8,
      [
        ['+1', 'good'],
        ['-1', 'offset of encrypted private key: 122 is before 123'],
        [0n, 'offset of encrypted private key: 0 is before 123'],
        [2n ** 32n, 'offset of share hash chain: 1340 is before 4294967296'],
        [2n ** 53n - 1n, 'offset of share hash chain: 1340 is before 9007199254740991'],
        [huge, 'offset of encrypted private key: above 2^53-1'],
      ],
    ],
    [
      'the offset of the share hash chain',
      67,
      8,
      [
        ['+1', 'share hash chain: 135 bytes, not 136'],
        ['-1', 'share hash chain: 137 bytes, not 136'],
        [0n, 'offset of share hash chain: 0 is before 123'],
        [2n ** 32n, 'offset of signature: 1476 is before 4294967296'],
        [2n ** 53n - 1n, 'offset of signature: 1476 is before 9007199254740991'],
        [huge, 'offset of share hash chain: above 2^53-1'],
      ],
    ],
    [
      'the offset of the signature',
      75,
      8,
      [
        ['+1', 'share hash chain: 137 bytes, not 136'],
        ['-1', 'share hash chain: 135 bytes, not 136'],
        [0n, 'offset of signature: 0 is before 1340'],
        [2n ** 32n, 'offset of verification key: 1732 is before 4294967296'],
        [2n ** 53n - 1n, 'offset of verification key: 1732 is before 9007199254740991'],
        [huge, 'offset of signature: above 2^53-1'],
      ],
    ],
    [
      'the offset of the verification key',
      83,
      8,
      [
        ['+1', 'verification key: it is not the key of the cap'],
        ['-1', 'verification key: it is not the key of the cap'],
        [0n, 'offset of verification key: 0 is before 1476'],
        [2n ** 32n, 'end of verification key: 2026 is before 4294967296'],
        [2n ** 53n - 1n, 'end of verification key: 2026 is before 9007199254740991'],
        [huge, 'offset of verification key: above 2^53-1'],
      ],
    ],
    [
      'the end of the verification key',
      91,
      8,
      [
        ['+1', 'verification key: it is not the key of the cap'],
        ['-1', 'verification key: it is not the key of the cap'],
        [0n, 'end of verification key: 0 is before 1732'],
        [2n ** 32n, 'offset of share data: 2167 is before 4294967296'],
        [2n ** 53n - 1n, 'offset of share data: 2167 is before 9007199254740991'],
        [huge, 'end of verification key: above 2^53-1'],
      ],
    ],
    [
      'the offset of the share data',
      99,
      8,
      [
        ['+1', 'share data: 46698 bytes, not 46699'],
        ['-1', 'share data: 46700 bytes, not 46699'],
        [0n, 'offset of share data: 0 is before 2026'],
        [2n ** 32n, 'offset of block hash tree: 48866 is before 4294967296'],
        [2n ** 53n - 1n, 'offset of block hash tree: 48866 is before 9007199254740991'],
        [huge, 'offset of share data: above 2^53-1'],
      ],
    ],
    [
      'the offset of the block hash tree',
      107,
      8,
      [
        ['+1', 'share data: 46700 bytes, not 46699'],
        ['-1', 'share data: 46698 bytes, not 46699'],
        [0n, 'offset of block hash tree: 0 is before 2167'],
        [2n ** 32n, 'end of share: 48962 is before 4294967296'],
        [2n ** 53n - 1n, 'end of share: 48962 is before 9007199254740991'],
        [huge, 'offset of block hash tree: above 2^53-1'],
      ],
    ],
    [
      'the end of the share',
      115,
      8,
      [
        ['+1', 'block hash tree: 97 bytes, not 96'],
        ['-1', 'block hash tree: 95 bytes, not 96'],
        [0n, 'end of share: 0 is before 48866'],
        [2n ** 32n, 'block hash tree: 4294918430 bytes, not 96'],
        [2n ** 53n - 1n, 'block hash tree: 9007199254692125 bytes, not 96'],
        [huge, 'end of share: above 2^53-1'],
      ],
    ],
  ],
};
