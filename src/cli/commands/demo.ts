/**
 * @module demo: `demo`, the story of Tahoe's ticket #2034 on a fresh grid.
 */
import type { Command } from 'commander';
import type { Perform } from '../call.ts';
import { EXIT_FAILED } from '../complaint.ts';
import { pictureOf } from '../demo/picture.ts';
import { playStory } from '../demo/story.ts';

export function addDemoCommand(program: Command, perform: Perform): void {
  program
    .command('demo')
    .description("replay the race of Tahoe's ticket #2034 on a fresh grid of 13 servers")
    .action(
      perform(async (call) => {
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
