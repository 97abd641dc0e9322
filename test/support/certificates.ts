/**
 * @module certificates: server certificates for tests, made on the spot, with the hash of their key.
 */
import { createHash, X509Certificate } from 'node:crypto';
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
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** Who signs it; by default it signs itself. */
  readonly issuer?: TestCertificate;
}

export async function makeCertificate(options: CertificateOptions = {}): Promise<TestCertificate> {
  const { keyType = 'ec', notBefore, notAfter, issuer } = options;
  const made = await generate([{ name: 'commonName', value: 'newpb_thingy' }], {
    keyType,
    algorithm: 'sha256',
    ...(notBefore && { notBeforeDate: notBefore }),
    ...(notAfter && { notAfterDate: notAfter }),
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

/** SHA-256 of the SubjectPublicKeyInfo, unpadded base64url. */
export function spkiHashOf(cert: string | Buffer): string {
  const spki = new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('base64url');
}
