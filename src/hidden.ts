/**
 * @module hidden: a secret that an object has, and that no way of printing the object shows.
 *
 * `inspect` with `showHidden` prints what is merely non-enumerable, and with `getters` it calls
 * them; so the value sits behind a getter, and the object prints itself as what can be seen of it.
 */

const customInspect = Symbol.for('nodejs.util.inspect.custom');

/** Gives `object` a property that JSON, copies, `structuredClone` and `inspect` leave out. */
export function withHidden<T extends object, P extends string, V>(
  object: T,
  property: P,
  value: V,
): T & { readonly [K in P]: V } {
  Object.defineProperty(object, property, { get: () => value });
  Object.defineProperty(object, customInspect, { value: () => ({ ...object }) });
  return object as T & { readonly [K in P]: V };
}
