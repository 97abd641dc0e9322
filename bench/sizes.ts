/**
 * @module sizes: units of bytes, and the files that are measured.
 */
export const KiB = 1024;
export const MiB = 1024 * KiB;

export interface Subject {
  readonly name: string;
  readonly format: 'sdmf' | 'mdmf';
  readonly size: number;
}

export const small: Subject = { name: '2 KiB', format: 'sdmf', size: 2 * KiB };
export const medium: Subject = { name: '1 MiB', format: 'sdmf', size: MiB };
export const large: Subject = { name: '10 MiB', format: 'mdmf', size: 10 * MiB };
export const huge: Subject = { name: '100 MiB', format: 'mdmf', size: 100 * MiB };

/** What a change in place writes, in the middle of a file. */
export const patchLength = 2 ** 10;
