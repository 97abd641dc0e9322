/** The program under test: a shelf of books that several people fill and clear. */
export class Shelf {
  #file;

  constructor(file) {
    this.#file = file;
  }

  async books(options) {
    return titlesIn(await this.#file.read(options));
  }

  add(title, options) {
    return this.#change((titles) => titles.add(title), options);
  }

  remove(title, options) {
    return this.#change((titles) => titles.delete(title), options);
  }

  #change(change, options) {
    return this.#file.modify((contents) => {
      const titles = titlesIn(contents);
      change(titles);
      return [...titles].sort().join('\n');
    }, options);
  }
}

const titlesIn = (contents) =>
  new Set(new TextDecoder().decode(contents).split('\n').filter(Boolean));
