/**
 * @module page-library: what the tests of `stored.browser.ts` have in a page: the library as
 * browsers get it.
 */
export * from '../../src/browser.ts';
export * from '../../src/index.ts';
