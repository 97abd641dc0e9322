/**
 * What Node has besides: grids that a file describes, folders, HTTPS, the inspector.
 */
import type { Grid, SigningKey, StorageServer } from 'tahoe-mutable';
import {
  createGridFolder,
  createInspector,
  DirectoryServer,
  type FileSource,
  type GridStatus,
  gridStatus,
  HttpServer,
  type Inspector,
  openFile,
  openGrid,
  parseNurl,
  signingKeyFromPem,
} from 'tahoe-mutable/node';

export async function upload(path: string, pem: string): Promise<string> {
  await using inspector: Inspector = await createInspector({ port: undefined });
  await createGridFolder(path, { servers: 3 });
  await using grid: Grid = await openGrid(path, { inspect: inspector.inspect, spareKeys: 1 });
  await using contents: FileSource = await openFile(path);
  const key: SigningKey = await signingKeyFromPem(pem);
  const { writeCap } = await grid.create({ contents, key });
  const status: GridStatus = await gridStatus(path);
  return `${writeCap} ${status.servers.length} ${inspector.url}`;
}

export function servers(directory: string, nurl: string): readonly StorageServer[] {
  const identity = {
    id: 'v0-a',
    nickname: 'a',
    tubId: new Uint8Array(20),
    permutationSeed: new Uint8Array(20),
  };
  using far = new HttpServer({ ...identity, nurls: [parseNurl(nurl)] });
  return [new DirectoryServer({ ...identity, directory }), far];
}
