/**
 * @module scenario-write: a world and a schedule as the text of a scenario, for people to go on
 * with.
 */
import type { OperationSpec } from './operations.ts';
import type { ServerSpec, ShareSpec, WorldOptions } from './world.ts';

/** The text of a scenario without what came of it; `playScenario` writes that. */
export function writeScenario(
  title: string,
  prose: readonly string[],
  options: WorldOptions,
  commands: readonly string[],
): string {
  const head = [`# Title: ${title}`, ...prose.map((line) => `# ${line}`.trimEnd())].join('\n');
  return `${[head, worldLines(options).join('\n'), commands.join('\n')].join('\n\n')}\n`;
}

function worldLines(options: WorldOptions): readonly string[] {
  const { encoding = { required: 2, happy: 3, total: 3 }, format, size, headLength } = options;
  const { seed, isDeaf, isDirectory, losable, fileEncoding: file } = options;
  const settings = [
    `k=${encoding.required} happy=${encoding.happy} n=${encoding.total}`,
    losable && `losable=${losable}`,
    file && `file=${file.required}of${file.total}`,
    format === 'mdmf' && 'format=mdmf',
    isDirectory && 'directory',
    size && `size=${size}`,
    headLength !== undefined && headLength !== 4000 && `head=${headLength}`,
    seed && `seed=${seed}`,
    isDeaf && 'deaf=yes',
  ];
  return [
    `grid ${settings.filter(Boolean).join(' ')}`,
    ...options.servers.map((server, i) => `s${i}: ${serverText(server)}`.trimEnd()),
    ...options.operations.map((spec) => `${spec.name}: ${operationText(spec)}`),
  ];
}

function serverText({ shares = [], joinsLater = false }: ServerSpec): string {
  return [...shares.map(shareText), ...(joinsLater ? ['later'] : [])].join(' ');
}

function shareText(share: number | ShareSpec): string {
  if (typeof share === 'number') return String(share);
  const { shnum, seqnum = 1, series = 0, isForeign = false, rot } = share;
  const letter = series === 0 ? '' : String.fromCharCode('a'.charCodeAt(0) + series);
  const version = seqnum === 1 && series === 0 ? '' : `@v${seqnum}${letter}`;
  return `${shnum}${version}${isForeign ? '?' : ''}${rot === undefined ? '' : `!${rot}`}`;
}

function operationText({ task, rule, client, size, force }: OperationSpec): string {
  const { kind, ...about } = task.kind === 'call' ? { kind: task.kind } : task;
  const settings = Object.entries({ ...about, rule, client, size: size || undefined })
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${value}`);
  return [kind, ...settings, ...(force ? ['force'] : [])].join(' ');
}
