/** The whole bytes of a share in its nth generation; the first 8 are n as a big-endian double. */
export function generation(n: number): Uint8Array;
