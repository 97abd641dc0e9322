/**
 * @module limits: how large what a page loads may be, in kB (1000 bytes) after gzip, and what npm
 * installs, in MB (1000 kB); docs/compatibility.md has the same.
 */
export const limits = {
  caps: 6,
  grid: 40,
  'grid with XState': 50.5,
  'first read': 52,
  'first write': 67.1,
  all: 125,
  installed: 19,
  'installed without optional': 17.5,
} as const;
