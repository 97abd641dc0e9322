/** The one function of `ini` in use; the package brings no types. */
declare module 'ini' {
  /** Sections and their keys; a key without `=` is `true`. Never throws. */
  export function parse(text: string): Record<string, unknown>;
}
