/** The backend over IndexedDB, in a real browser: this file runs in a page of it. */
import { describe } from 'vitest';
import { IndexedDbServer } from '../../src/storage/indexeddb.ts';
import { immutableSharesContract } from '../support/immutable-contract.ts';
import { indexedDbContract, withImmutables } from '../support/indexeddb-contract.ts';
import { storageServerContract } from '../support/storage-contract.ts';

storageServerContract('indexeddb', async () => ({ server: new IndexedDbServer({ id: 'i0' }) }));
immutableSharesContract('indexeddb', withImmutables);
describe('a server in IndexedDB', indexedDbContract);
