/**
 * @module salts: new salts for segments, drawn many at a time: to ask for random bytes takes longer
 * than to make them.
 */
/** Of an SDMF IV and of an MDMF salt: bytes. */
export const saltLength = 16;
/** For 8 MiB, in segments of 128 KiB. */
const saltsAtATime = 64;

/** Gives another salt with each call. */
export function saltsFrom(randomBytes: (length: number) => Uint8Array): () => Uint8Array {
  let rest: Uint8Array = new Uint8Array(0);
  return () => {
    if (rest.length === 0) rest = randomBytes(saltsAtATime * saltLength);
    const salt = rest.subarray(0, saltLength);
    rest = rest.subarray(saltLength);
    return salt;
  };
}
