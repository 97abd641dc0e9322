#!/usr/bin/env node
/**
 * @module main: the command `tahoe-mutable`.
 */
import { EXIT_FAILED } from './exit-codes.ts';
import { main } from './program.ts';

// Until it is done: Node also ends when what is waited for can no longer come.
process.exitCode = EXIT_FAILED;
void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
