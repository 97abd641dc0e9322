/** A server behind a relay, and what the two may do to whoever asks them. */
import { diskOf, MemoryServer } from '../../src/storage/memory.ts';
import { immutableSharesContract } from '../support/immutable-contract.ts';
import { storageServerContract } from '../support/storage-contract.ts';
import { startWebRelay } from '../support/web-relay.ts';

storageServerContract('fetch', async () => {
  const relay = await startWebRelay(new MemoryServer({ id: 'f0' }));
  return { server: relay.server(), cleanup: relay.stop };
});

immutableSharesContract('fetch', async () => {
  const backing = new MemoryServer({ id: 'f0' });
  const relay = await startWebRelay(backing);
  return {
    server: relay.server(),
    place: async (...share) => diskOf(backing).setImmutable(...share),
    cleanup: relay.stop,
  };
});
