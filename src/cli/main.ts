#!/usr/bin/env node
/**
 * @module main: the command `tahoe-mutable`.
 */
import { main } from './program.ts';

process.exitCode = await main(process.argv.slice(2));
