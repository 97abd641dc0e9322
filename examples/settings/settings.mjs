/** Settings that several programs change at once: a JSON object in one file on a grid. */
export class Settings {
  #file;

  /** @param {import('tahoe-mutable').MutableFile} file */
  constructor(file) {
    this.#file = file;
  }

  async all() {
    return parsed(await this.#file.read());
  }

  /**
   * Changes one setting and leaves the others as whoever wrote last has left them.
   * @param change is given the old value; called again when somebody else was faster
   */
  async change(name, change) {
    await this.#file.modify(
      (contents) => {
        const settings = parsed(contents);
        settings[name] = change(settings[name]);
        return JSON.stringify(settings);
      },
      { attempts: 50, backoffMs: 20 },
    );
  }
}

const parsed = (contents) =>
  contents.length === 0 ? {} : JSON.parse(new TextDecoder().decode(contents));
