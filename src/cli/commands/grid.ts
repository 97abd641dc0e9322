/**
 * @module grid: `grid create`, an embedded grid of folders; `grid status`, which servers answer.
 */
import type { Command } from 'commander';
import type { GridStatus } from '../../description/grid-status.ts';
import type { Encoding } from '../../encoding.ts';
import type { Perform } from '../call.ts';
import { EXIT_FAILED } from '../exit-codes.ts';
import { encodingNumbers, wholeNumber } from '../numbers.ts';
import { pathArgument } from '../paths.ts';
import { amountText, counted, oneLine, table } from '../plain-text.ts';
import { serverName } from '../servermap-view.ts';

interface Options {
  readonly servers: number;
  readonly encoding?: Partial<Encoding>;
}

export function addGridCommand(program: Command, perform: Perform): void {
  const grid = program.command('grid').description('make a grid, or see who is there');
  grid
    .command('create')
    .description('make a grid of folders: servers.yaml and one folder per server')
    .argument('<DIR>', 'must not exist, or be empty', pathArgument)
    .option('--servers <count>', 'how many', wholeNumber, 13)
    .option('--encoding <k,N>', 'any k of N shares make a file; also k,happy,N', encodingNumbers)
    .action(
      perform(async (_call, folder: string, { servers, encoding = {} }: Options) => {
        const { createGridFolder } = await import('../../description/grid-folder.ts');
        const { completeEncoding, quorumNotices } = await import('../../encoding.ts');
        const path = await createGridFolder(folder, { servers, encoding });
        const whole = completeEncoding(encoding);
        const { required, total } = whole;
        const [note] = quorumNotices(whole, { gridSize: servers, losableServers: 0 });
        return {
          json: { path, servers, encoding: whole },
          text: `${path}: ${counted(servers, 'server')}, ${required}-of-${total}\n`,
          isOutcome: true,
          ...(note !== undefined && { note }),
        };
      }),
    );
  grid
    .command('status')
    .description('ask every server; exits with 1 if no file could be written')
    .action(
      perform(async (call) => {
        const { gridStatus } = await import('../../description/grid-status.ts');
        const status = await gridStatus(await call.gridPath(), { signal: call.signal });
        return {
          json: status,
          text: statusText(status),
          exitCode: status.reachable < status.quorum || status.problem ? EXIT_FAILED : 0,
        };
      }),
    );
}

function statusText(status: GridStatus): string {
  const { servers, reachable, gridSize, quorum, notices, problem } = status;
  const rows = servers.map(({ id, nickname, places, availableSpace, version, problem }) => [
    serverName([{ id, nickname }], id),
    oneLine(places.join(', ')) || '-',
    availableSpace === null ? '-' : amountText(availableSpace),
    oneLine(problem ?? version ?? 'a folder'),
  ]);
  return [
    table([['server', 'at', 'free', 'is'], ...rows], ''),
    '',
    `${reachable} of ${counted(servers.length, 'server')} can be reached; a write needs ${quorum} of ${gridSize}`,
    ...notices.map(oneLine),
    ...(problem === null ? [] : [`no new file can be made: ${oneLine(problem)}`]),
    '',
  ].join('\n');
}
