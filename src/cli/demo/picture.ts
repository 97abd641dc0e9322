/**
 * @module picture: the story on a terminal of 80 columns, in one screen or two.
 */
import { styleText } from 'node:util';
import type { MappedServer, Run, Story } from './story.ts';

type Style = 'bold' | 'dim' | 'green' | 'red';
type Paint = (style: Style | undefined, text: string) => string;

/** The first two of three columns: what the line is about, the old rule; then this engine. */
const widths = { label: 17, old: 33 } as const;

export function pictureOf(story: Story, hasColours: boolean): string {
  const paint: Paint = (style, text) =>
    hasColours && style !== undefined ? styleText(style, text, { validateStream: false }) : text;
  return [
    ...opening(story, paint),
    ...maps(story, paint),
    ...outcomes(story, paint),
    ...ending(story, paint),
    '',
  ].join('\n');
}

function opening({ fileSize, editSize, slow }: Story, paint: Paint): string[] {
  return [
    paint(
      'bold',
      'Ticket #2034 of Tahoe-LAFS, replayed: 13 servers, any 3 of 10 shares make a file',
    ),
    '',
    `A file of ${bytes(fileSize)} lies on a fresh grid: ten servers hold a share each, three`,
    `hold none. A writer wants to change ${editSize} bytes. First it maps who holds what: it`,
    'asks all servers, and is done when 3 in a row behind the last share hold none.',
    'In both runs below the answers come in this order:',
    '',
    '  1  three servers answer: no share here',
    '  2  nine servers answer, and the share of each is verified at once',
    `  3  ${slow.nickname} answers: it holds share ${slow.shnum}`,
    `  4  share ${slow.shnum} is verified: its key and signature took another round trip`,
    '',
  ];
}

function maps({ slow, runs: { old, ours } }: Story, paint: Paint): string[] {
  const row = rows(paint);
  const share = `share ${slow.shnum}`;
  const [oldAnswer, oldVerified] = old.beats.slice(-2);
  const [ourAnswer, ourVerified] = ours.beats.slice(-2);
  const state = (isOver: boolean | undefined) =>
    isOver ? 'the map is done' : `waiting for ${share}`;
  const late = (isTooLate: boolean | undefined, isOver: boolean | undefined) =>
    isTooLate ? 'too late: dropped' : state(isOver);
  return [
    row('', 'OLD RULE (Tahoe until 2015)', 'THIS ENGINE', 'bold', 'bold'),
    row('a server counts', 'when it has answered', 'when its shares are verified', 'dim', 'dim'),
    row(
      'after 3',
      state(oldAnswer?.mapIsOver),
      state(ourAnswer?.mapIsOver),
      oldAnswer?.mapIsOver ? 'red' : undefined,
    ),
    row(
      'after 4',
      late(oldVerified?.isTooLate, oldVerified?.mapIsOver),
      late(ourVerified?.isTooLate, ourVerified?.mapIsOver),
      oldVerified?.isTooLate ? 'red' : undefined,
      ourVerified?.mapIsOver ? 'green' : undefined,
    ),
    '',
    row('server', 'in the map', 'in the map', 'bold', 'bold'),
    ...old.servers.map((server, i) => mapRow(row, i, server, ours.servers[i] as MappedServer)),
    '',
  ];
}

function mapRow(row: Row, i: number, old: MappedServer, ours: MappedServer): string {
  const label = `${String(i + 1).padStart(2)}  ${old.nickname}`;
  return row(label, mappedText(old), mappedText(ours), mappedStyle(old), mappedStyle(ours));
}

function mappedText({ holds, mapped }: MappedServer): string {
  if (mapped !== null) return `share ${mapped}`;
  return holds === null ? '-' : `MISSING: it holds share ${holds}`;
}

function mappedStyle({ holds, mapped }: MappedServer): Style | undefined {
  if (mapped === null) return holds === null ? 'dim' : 'red';
  return undefined;
}

function outcomes({ editSize, slow, runs: { old, ours } }: Story, paint: Paint): string[] {
  const row = rows(paint);
  const known = ({ sharesMapped }: Run) => `${sharesMapped} of 10 shares`;
  const after = ({ newVersion: { seqnum, shares } }: Run) => `version ${seqnum}: ${shares} shares`;
  const place = ({ inPlace }: Run) =>
    inPlace ? 'yes' : `impossible without share ${slow.shnum} (1)`;
  return [
    `With that map, the writer changes its ${editSize} bytes:`,
    '',
    row(
      'it knows',
      known(old),
      known(ours),
      goodIf(old.sharesMapped === 10),
      goodIf(ours.sharesMapped === 10),
    ),
    row('in place', place(old), place(ours), goodIf(old.inPlace), goodIf(ours.inPlace)),
    row('sends', bytes(old.bytesSent), bytes(ours.bytesSent)),
    row('on the grid then', after(old), after(ours)),
    '',
    ...[
      `(1) Tahoe's writer died here: "NotEnoughServersError … KeyError: ${slow.shnum}". The`,
      '    writer of this engine makes do with such a map, and sends the whole file.',
      'The old rule is our own chart with a transition added that it was built without:',
      'see machines/historic-rules.ts.',
    ].map((line) => paint('dim', line)),
    '',
  ];
}

function goodIf(isGood: boolean): Style {
  return isGood ? 'green' : 'red';
}

function ending({ timings, sha256, claims }: Story, paint: Paint): string[] {
  const broken = claims.filter(({ holds }) => !holds);
  return [
    'And the same file with nobody in the way, in 13 folders laid out as Tahoe does:',
    '',
    ...timings.map(({ what, ms, inPlace }) =>
      `  ${what.padEnd(32)}${String(ms).padStart(6)} ms  ${inPlace ? 'in place' : ''}`.trimEnd(),
    ),
    `  SHA-256 ${sha256.slice(0, 16)}…, as it should be`,
    '',
    broken.length === 0
      ? paint('green', `All ${claims.length} claims of this story hold.`)
      : paint('red', `${broken.length} of the ${claims.length} claims of this story do not hold:`),
    ...broken.map(({ claim }) => paint('red', `  not true: ${claim}`)),
  ];
}

type Row = (label: string, old: string, ours: string, oldStyle?: Style, ourStyle?: Style) => string;

/** Lines of three columns; cells are filled up before they are painted. */
function rows(paint: Paint): Row {
  return (label, old, ours, oldStyle, ourStyle) =>
    label.padEnd(widths.label) + paint(oldStyle, old.padEnd(widths.old)) + paint(ourStyle, ours);
}

/** `1.0 MiB`. */
function bytes(count: number): string {
  return count < 1024 * 1024
    ? `${(count / 1024).toFixed(0)} KiB`
    : `${(count / 1024 / 1024).toFixed(1)} MiB`;
}
