import { describe, expect, test } from 'vitest';
import {
  blocksSettled,
  operationCancel,
  serverAnswered,
  serverSettled,
  shareJudged,
  writeSettled,
} from '../../machines/events.ts';
import { poorReport, unverified, versionOf, writeReport } from '../support/facts.ts';

describe('what children report', () => {
  test('a server answered, and settled', () => {
    const report = poorReport('s0', 'empty');
    expect(serverAnswered('s0', [0, 2])).toEqual({
      type: 'server.answered',
      server: 's0',
      shnums: [0, 2],
    });
    expect(serverSettled(report)).toEqual({ type: 'server.settled', report });
  });

  test('a share is judged: the version and the private key only where there is one', () => {
    const version = versionOf(1);
    const good = { kind: 'good', version: version.id } as const;
    expect(shareJudged(2, good, { version, privateKeyFound: true })).toEqual({
      type: 'share.judged',
      shnum: 2,
      verdict: good,
      privateKeyFound: true,
      version,
    });
    expect(Object.entries(shareJudged(2, unverified()))).toEqual([
      ['type', 'share.judged'],
      ['shnum', 2],
      ['verdict', unverified()],
      ['privateKeyFound', false],
    ]);
  });

  test('a write and a read of blocks settled', () => {
    const written = writeReport('s0', 'failed');
    expect(writeSettled(written)).toEqual({ type: 'write.settled', report: written });
    const read = { server: 's0', shnum: 1, status: 'held', failure: null } as const;
    expect(blocksSettled(read)).toEqual({ type: 'blocks.settled', report: read });
  });
});

test('what a caller commands', () => {
  expect(operationCancel()).toEqual({ type: 'operation.cancel' });
});
