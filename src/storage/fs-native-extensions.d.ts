/** The one function of `fs-native-extensions` in use; the package brings no types. */
declare module 'fs-native-extensions' {
  /**
   * Takes an exclusive kernel lock on the open file, which ends with the descriptor or the process.
   * @returns false when another descriptor, of any process, holds it
   */
  export function tryLock(fd: number, offset?: number, length?: number): boolean;
}
