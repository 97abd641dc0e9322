/** The backend over IndexedDB, in a real browser: this file runs in a page of it. */
import { IndexedDbServer } from '../../src/storage/indexeddb.ts';
import { storageServerContract } from '../support/storage-contract.ts';

storageServerContract('indexeddb', async () => ({ server: new IndexedDbServer({ id: 'i0' }) }));
