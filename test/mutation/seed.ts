/** @module seed: random tests draw the same worlds for every mutant: a score is not luck. */
import fc from 'fast-check';

fc.configureGlobal({ seed: 2034 });
