import type { Server } from 'node:http';
import type { Nurl } from '../../src/storage/nurl.ts';

export function createRelay(
  servers: Readonly<Record<string, Nurl>>,
  options: { readonly origin: string; readonly token: string },
): Server;
