/**
 * @module plain-text: text that is safe to print, whoever it comes from.
 */

/**
 * `text` on one line, with nothing in it that a terminal would obey: nicknames of servers and
 * reasons of failures come from other people.
 */
export function oneLine(text: string): string {
  return (
    text
      .trim()
      .replace(/\s+/g, ' ')
      .replace(/\p{Cc}/gu, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)
      // Unseen characters that turn the text around, or make two names look alike.
      .replace(/[\p{Cf}\p{Co}\p{Cs}]/gu, (c) => `\\u{${(c.codePointAt(0) as number).toString(16)}}`)
  );
}

/** A name that would be taken for another, or move the terminal, is told as JSON tells it. */
export function nameText(name: string): string {
  const plain = oneLine(name);
  return plain === name && name !== '' ? name : oneLine(JSON.stringify(name));
}

/** `1 share`, `2 shares`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Bytes as people say them: `12.3 GB`. */
export function amountText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const rank = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), units.length - 1);
  return `${Number((bytes / 1000 ** rank).toFixed(1))} ${units[rank]}`;
}

/** `0-3, 5`: ascending numbers with their runs drawn together. */
export function inRuns(numbers: Iterable<number>): string {
  const runs: [number, number][] = [];
  for (const number of [...numbers].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last !== undefined && last[1] === number - 1) last[1] = number;
    else runs.push([number, number]);
  }
  return runs.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(', ');
}

/** Rows under one another, each column as wide as it must be; the last one is not filled up. */
export function table(rows: readonly (readonly string[])[], indent = '  '): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length);
    });
  }
  return rows
    .map((row) => indent + row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  '))
    .map((line) => line.trimEnd())
    .join('\n');
}
