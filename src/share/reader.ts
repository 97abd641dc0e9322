/**
 * @module reader: the fields of one share of a mutable file, by range reads (`mutable/layout.py`
 * `MDMFSlotReadProxy`).
 */
import { BlockReader } from './block-reader.ts';
import { headerLengthMax, parseShareHeader, type ShareHeader } from './header.ts';
import { fieldNames, type ShareField } from './layout.ts';

export type { Entry } from './block-reader.ts';

export class ShareReader extends BlockReader<ShareHeader> {
  #header: ShareHeader | undefined;

  async header(): Promise<ShareHeader> {
    this.#header ??= parseShareHeader(await this.bytes({ offset: 0, length: headerLengthMax }));
    return this.#header;
  }

  /** SubjectPublicKeyInfo DER. */
  verificationKey(): Promise<Uint8Array> {
    return this.#keyField('verificationKey');
  }

  signature(): Promise<Uint8Array> {
    return this.#keyField('signature');
  }

  encryptedPrivateKey(): Promise<Uint8Array> {
    return this.#keyField('encryptedPrivateKey');
  }

  async #keyField(field: ShareField): Promise<Uint8Array> {
    return this.whole(fieldNames[field], (await this.header()).layout[field]);
  }
}
