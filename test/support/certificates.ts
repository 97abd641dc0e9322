/**
 * @module certificates: server certificates for tests, made on the spot, with the hash of their
 * key.
 */
import { createHash, createPublicKey, X509Certificate } from 'node:crypto';
import { generate } from 'selfsigned';

export interface TestCertificate {
  /** PEM. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
  /** What a NURL says of it. */
  readonly spkiHash: string;
}

export interface CertificateOptions {
  /** `rsa` is what a Tahoe node has, `ec` is made faster. */
  readonly keyType?: 'ec' | 'rsa';
  /** Of subject and, if it signs itself, of issuer; Tahoe's by default. */
  readonly name?: string;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** Who signs it; by default it signs itself. */
  readonly issuer?: TestCertificate;
  /** Another certificate for the key of this one. */
  readonly renews?: TestCertificate;
}

export async function makeCertificate(options: CertificateOptions = {}): Promise<TestCertificate> {
  const { keyType = 'ec', name = 'newpb_thingy', notBefore, notAfter, issuer, renews } = options;
  const made = await generate([{ name: 'commonName', value: name }], {
    keyType,
    algorithm: 'sha256',
    ...(notBefore && { notBeforeDate: notBefore }),
    ...(notAfter && { notAfterDate: notAfter }),
    ...(renews && { keyPair: keyPairOf(renews) }),
    ...(issuer && { ca: { key: issuer.key, cert: issuer.cert } }),
  });
  return { cert: made.cert, key: made.private, spkiHash: spkiHashOf(made.cert) };
}

/** The same certificate with one bit of its signature flipped. */
export function withBadSignature(certificate: TestCertificate): TestCertificate {
  const der = Buffer.from(new X509Certificate(certificate.cert).raw);
  der[der.length - 1]! ^= 1;
  const lines = der.toString('base64').match(/.{1,64}/g)!;
  const cert = ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join(
    '\n',
  );
  return { ...certificate, cert };
}

function keyPairOf({ key }: TestCertificate): { privateKey: string; publicKey: string } {
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'pem' });
  return { privateKey: key, publicKey: publicKey.toString() };
}

/** SHA-256 of the SubjectPublicKeyInfo, unpadded base64url. */
function spkiHashOf(cert: string): string {
  const spki = new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('base64url');
}
