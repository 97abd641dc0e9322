/**
 * @module demo: `demo`, the story of Tahoe's ticket #2034 on a fresh grid.
 */
import type { Command } from 'commander';
import type { Perform } from '../call.ts';
import { EXIT_FAILED } from '../exit-codes.ts';

export function addDemoCommand(program: Command, perform: Perform): void {
  program
    .command('demo')
    .description("replay the race of Tahoe's ticket #2034 on a fresh grid of 13 servers")
    .action(
      perform(async (call) => {
        // Loaded when they are wanted: they bring the simulator with them.
        const { playStory } = await import('../demo/story.ts');
        const { pictureOf } = await import('../demo/picture.ts');
        const story = await playStory(call.signal);
        const hasHeld = story.claims.every(({ holds }) => holds);
        return {
          json: story,
          text: pictureOf(story, call.hasColours),
          exitCode: hasHeld ? 0 : EXIT_FAILED,
        };
      }),
    );
}
