/**
 * @module shares: `find-shares` and `dump-share`: the files in servers' folders, for their owners.
 */
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { errnoOf } from '../../storage/atomic-file.ts';
import type { Call, Perform } from '../call.ts';
import { UsageError, unreadable } from '../complaint.ts';
import { EXIT_UNHEALTHY } from '../exit-codes.ts';
import { serverFolders } from '../grid-folders.ts';
import { pathArgument, requirePaths } from '../paths.ts';
import { counted, oneLine, table } from '../plain-text.ts';
import type { ShareDump } from '../share-file.ts';

export function addShareCommands(program: Command, perform: Perform): void {
  program
    .command('find-shares')
    .description('print the paths of the shares of a file, in folders of servers')
    .argument('<CAP>', 'any cap, or a storage index')
    .argument(
      '[NODEDIR...]',
      "folders of nodes, or of their storage; by default all folders of the grid's servers",
    )
    .action(
      perform(async (call, argument: string, folders: readonly string[]) => {
        requirePaths('NODEDIR', folders);
        const name = await storageIndexOf(call, argument);
        const places = folders.length > 0 ? folders : await foldersOf(call);
        const found = await Promise.all(places.map((folder) => sharesIn(folder, name)));
        const paths = found.flat();
        return { json: { paths }, text: paths.map((path) => `${oneLine(path)}\n`).join('') };
      }),
    );
  program
    .command('dump-share')
    .description('say what is in the file of a share; exits with 3 where that makes no sense')
    .argument('<FILE>', 'a file of a share, as find-shares prints it', pathArgument)
    .addHelpText('after', '\nNothing is verified, and no secret is printed.')
    .action(
      perform(async (_call, path: string) => {
        const { dumpShare } = await import('../share-file.ts');
        const dump = await dumpShare(resolve(path)).catch((error: unknown) => {
          throw errnoOf(error) === undefined ? error : unreadable(path, error);
        });
        return {
          json: dump,
          text: dumpText(dump),
          // A verify cap reads nothing and writes nothing; its storage index is the path.
          tellsCaps: true,
          exitCode: dump.problem === undefined ? 0 : EXIT_UNHEALTHY,
        };
      }),
    );
}

/** In base32. @throws UsageError for a literal, MalformedCapError */
async function storageIndexOf(call: Call, argument: string): Promise<string> {
  if (/^[a-z2-7]{26}$/.test(argument)) return argument;
  const [{ toBase32 }, { capIn }, immutable, caps] = await Promise.all([
    import('../../bytes.ts'),
    import('../cap-text.ts'),
    import('../../immutable/caps.ts'),
    import('../../caps.ts'),
  ]);
  const text = await call.capText(argument);
  if (!/^(?:(?:ro|imm)\.)?URI:(?:DIR2-)?(?:CHK|LIT)(?:-Verifier)?:/.test(text)) {
    return toBase32(caps.storageIndexOf(capIn(text)));
  }
  const cap = immutable.parseImmutableCap(text);
  if (cap.kind === 'lit') throw new UsageError('CAP: is a literal, which is in no share');
  return toBase32(immutable.immutableStorageIndexOf(cap));
}

/** @throws UsageError where none of the grid's servers is a folder */
async function foldersOf(call: Call): Promise<readonly string[]> {
  const folders = await serverFolders(call);
  if (folders.length > 0) return folders;
  throw new UsageError('NODEDIR: is missing, and no server of the grid is a folder');
}

/** Below the folder of a node, or that which has `shares/`. @throws UsageError for no folder */
async function sharesIn(folder: string, storageIndex: string): Promise<readonly string[]> {
  await namesIn(folder);
  const { bucketIn } = await import('../../storage/directory.ts');
  const buckets = [join(folder, 'storage'), folder].map((place) => bucketIn(place, storageIndex));
  const found = await Promise.all(
    buckets.map(async (bucket) => {
      const names = (await namesIn(bucket, [])).filter((name) => /^\d+$/.test(name));
      return names.sort((a, b) => Number(a) - Number(b)).map((name) => join(bucket, name));
    }),
  );
  return found.flat();
}

async function namesIn(folder: string, absent?: readonly string[]): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (absent !== undefined && errnoOf(error) === 'ENOENT') return absent;
    throw unreadable(folder, error);
  }
}

function dumpText({ path, storageIndex, container, share, problem }: ShareDump): string {
  const unclear = `? (${oneLine(problem ?? '')})`;
  const index = ['storage index', storageIndex ?? '?'];
  if (container === undefined) return textOf(path, [['container', unclear], index]);
  const { kind, version, dataOffset, dataLength, nodeId, leases } = container;
  return textOf(path, [
    ['container', `${kind}, version ${version}`],
    index,
    ['data', `${counted(dataLength, 'byte')} from ${dataOffset}`],
    ...(nodeId === undefined ? [] : [['write enabler for', nodeId]]),
    ...leases.map(({ owner, expires }, i) => [`lease ${i}`, `owner ${owner}, until ${expires}`]),
    ...(leases.length === 0 ? [['leases', 'none']] : []),
    ...(share === undefined ? [['share', unclear]] : shareRows(share)),
  ]);
}

function textOf(path: string, rows: readonly (readonly string[])[]): string {
  return `${oneLine(path)}\n${table(rows)}\n`;
}

function shareRows({ format, says, fields, verifyCap }: NonNullable<ShareDump['share']>) {
  const places = Object.entries(fields).map(([name, { offset, length }]) => [
    words(name),
    `${counted(length, 'byte')} from ${offset}`,
  ]);
  return [
    ['share', format.toUpperCase()],
    ...Object.entries(says).map(([name, value]) => [words(name), String(value)]),
    ...(verifyCap === undefined ? [] : [['verify cap', verifyCap]]),
    ...places,
  ];
}

/** `segmentSize` as people write it. */
function words(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
