/**
 * @module version-names: short names for versions, for people.
 *
 * In traces a version is `v2-1a2b3c4d`: its seqnum and how its root hash begins. The first of a
 * seqnum that is named becomes `v2`, its rivals `v2b`, `v2c`, ….
 */
export class VersionNames {
  /** seqnum -> versions in order of appearance */
  readonly #versions = new Map<string, string[]>();

  /** `text` with short names for versions. */
  plain(text: string): string {
    return text.replace(/v(\d+)-[0-9a-f]{8}/g, (version, seqnum: string) => {
      const versions = this.#versions.get(seqnum) ?? [];
      if (!versions.includes(version)) versions.push(version);
      this.#versions.set(seqnum, versions);
      const index = versions.indexOf(version);
      return index === 0 ? `v${seqnum}` : `v${seqnum}${'abcdefghij'[index]}`;
    });
  }
}
