/**
 * @module limits: how large what a page loads may be, in kB (1000 bytes) after gzip;
 * docs/compatibility.md has the same.
 */
export const limits = {
  caps: 6,
  grid: 40,
  'grid with XState': 50,
  operations: 64,
  all: 120,
} as const;
