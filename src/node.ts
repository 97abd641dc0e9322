/**
 * @module tahoe-mutable/node: grids that are described by a file; servers that are folders, and
 * real ones across the network.
 *
 * What a grid and its files can do is in `tahoe-mutable`; this is how to come by them on Node.
 */
export { spoolToFile } from './contents/spool-file.ts';
export { signingKeyFromPem } from './crypto/pem.ts';
export { createGridFolder, type NewGrid } from './description/grid-folder.ts';
export {
  type GridStatus,
  gridStatus,
  type ServerState,
} from './description/grid-status.ts';
export { type FileSource, openFile } from './file-source.ts';
export { createInspector, type Inspector, type InspectorOptions } from './inspector/server.ts';
export { toNodeReadable } from './node-readable.ts';
export { type OpenGridOptions, openGrid } from './open-grid.ts';
export { DirectoryServer, type DirectoryServerOptions } from './storage/directory.ts';
export {
  type ConnectionStatus,
  HttpServer,
  type HttpServerOptions,
} from './storage/http.ts';
export type { ConnectionSettings } from './storage/http-connection.ts';
export type { ServerVersion } from './storage/http-wire.ts';
export { type Nurl, parseNurl } from './storage/nurl.ts';
