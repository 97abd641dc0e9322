import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseScenario, playScenario } from '../src/simulation/scenario.ts';

const folder = join(import.meta.dirname, 'scenarios');
const files = readdirSync(folder).filter((file) => file.endsWith('.txt'));

describe('scenarios', () => {
  test.each(files)('%s', async (file) => {
    const path = join(folder, file);
    const scenario = parseScenario(file.replace('.txt', ''), readFileSync(path, 'utf8'));
    const { text } = await playScenario(scenario);
    // `vitest -u` rewrites what stands below the commands.
    await expect(text).toMatchFileSnapshot(path);
  });
});
