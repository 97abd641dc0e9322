/**
 * @module main: the page begins.
 */
import { render } from 'preact';
import { watchRuns } from './explore-store.ts';
import { App } from './page/app.tsx';
import { start } from './store.ts';

render(<App />, document.getElementById('page') as HTMLElement);
watchRuns();
void start();
