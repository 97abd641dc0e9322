/**
 * @module numbers: numbers for people, `12,345`. Making the format takes a thousand times as long as
 * using it, and `toLocaleString` makes it each time.
 */
const format = new Intl.NumberFormat('en');

export function inWords(n: number): string {
  return format.format(n);
}

/** `1 share`, `12,345 shares` */
export function counted(n: number, noun: string): string {
  return `${inWords(n)} ${noun}${n === 1 ? '' : 's'}`;
}
