import { afterEach, describe, expect, test } from 'vitest';
import { utf8 } from '../../src/bytes.ts';
import { ServerUnavailableError } from '../../src/errors.ts';
import { HttpServer } from '../../src/storage/http.ts';
import { MemoryServer } from '../../src/storage/memory.ts';
import { parseNurl } from '../../src/storage/nurl.ts';
import {
  makeCertificate,
  type TestCertificate,
  withBadSignature,
} from '../support/certificates.ts';
import { HttpStorage } from '../support/http-storage.ts';
import { TestSlot } from '../support/test-slot.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

/** A server that shows `certificate`, and a client that expects its key, or another. */
async function meet(certificate: TestCertificate, expected = certificate.spkiHash) {
  const storage = await HttpStorage.start(new MemoryServer({ id: 'p0' }), { certificate });
  const nurls = [parseNurl(storage.nurl.replace(certificate.spkiHash, expected))];
  const seeds = { tubId: new Uint8Array(20), permutationSeed: utf8('p0') };
  const server = new HttpServer({ id: 'p0', ...seeds, nurls });
  cleanups.push(
    () => server.close(),
    () => storage.stop(),
  );
  return { server, storage };
}

const day = (offset: number) => new Date(Date.now() + offset * 24 * 60 * 60 * 1000);

describe('a server with the key of its NURL is trusted', () => {
  test.each([
    ['as Tahoe makes it', { keyType: 'rsa' } as const],
    ['that expired yesterday', { notBefore: day(-400), notAfter: day(-1) }],
    ['that is valid from tomorrow', { notBefore: day(1), notAfter: day(400) }],
  ])('with a certificate %s', async (_, options) => {
    const { server } = await meet(await makeCertificate(options));
    expect((await server.version()).application).toBe('test/1.0');
  });

  test('with a certificate whose signature by itself is bad: the handshake proved the key', async () => {
    const { server } = await meet(withBadSignature(await makeCertificate()));
    expect((await server.version()).application).toBe('test/1.0');
  });

  test('with a new certificate of the same key', async () => {
    const certificate = await makeCertificate();
    const { server, storage } = await meet(certificate);
    await server.version();
    storage.showCertificate(await makeCertificate({ renews: certificate }));
    await storage.stop();
    await storage.restart();
    expect((await server.version()).application).toBe('test/1.0');
  });
});

describe('a server is not trusted', () => {
  test('with another key', async () => {
    const { spkiHash } = await makeCertificate();
    const certificate = await makeCertificate();
    const { server, storage } = await meet(certificate, spkiHash);
    const problem = `its public key is not the one in the NURL: ${certificate.spkiHash}`;
    await expect(server.version()).rejects.toEqual(new ServerUnavailableError('p0', problem));
    expect(storage.requests).toEqual([]);
  });

  test('with a certificate that somebody else signed, as Tahoe does not', async () => {
    const issuer = await makeCertificate({ name: 'authority' });
    const { server, storage } = await meet(await makeCertificate({ issuer }));
    const problem = 'its certificate is unusable: UNABLE_TO_VERIFY_LEAF_SIGNATURE';
    await expect(server.version()).rejects.toEqual(new ServerUnavailableError('p0', problem));
    expect(storage.requests).toEqual([]);
  });

  test('later either, when its key has changed meanwhile', async () => {
    const certificate = await makeCertificate();
    const { server, storage } = await meet(certificate);
    const slot = new TestSlot(server);
    await slot.hold({ 0: 'zero' });
    storage.showCertificate(await makeCertificate());
    await storage.stop();
    await storage.restart();
    const heard = storage.requests.length;
    await expect(slot.text(0)).rejects.toMatchObject({ code: 'ServerUnavailableError' });
    await expect(slot.hold({ 1: 'one' })).rejects.toMatchObject({
      code: 'ServerUnavailableError',
    });
    expect(storage.requests.length).toBe(heard);
  });
});
