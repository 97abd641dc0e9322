/**
 * @module main: the page begins.
 */
import { render } from 'preact';
// First: what a panel says of itself comes after what all panels share.
import './page/style.css';
import { watchRuns } from './explore-store.ts';
import { start } from './opening.ts';
import { App } from './page/app.tsx';
import { startTalk } from './talk.ts';

render(<App />, document.getElementById('page') as HTMLElement);
startTalk();
watchRuns();
void start();
