/** The backend over IndexedDB, here on fake-indexeddb; test/browser/ has the real one. */
import { IDBFactory } from 'fake-indexeddb';
import 'fake-indexeddb/auto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { IndexedDbServer } from '../../src/storage/indexeddb.ts';
import { storageServerContract } from '../support/storage-contract.ts';

storageServerContract('indexeddb', async () => ({ server: new IndexedDbServer({ id: 'i0' }) }));
