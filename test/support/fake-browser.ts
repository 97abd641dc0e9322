/**
 * @module fake-browser: IndexedDB where there is none, for the tests of one file.
 */
import * as fake from 'fake-indexeddb';
import { afterAll, beforeAll, vi } from 'vitest';

export function fakeIndexedDb(): void {
  beforeAll(() => {
    for (const [name, value] of Object.entries(fake)) {
      if (name.startsWith('IDB')) vi.stubGlobal(name, value);
    }
    vi.stubGlobal('indexedDB', new fake.IDBFactory());
  });
  afterAll(() => {
    vi.unstubAllGlobals();
  });
}
