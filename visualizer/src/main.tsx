/**
 * @module main: the page begins.
 */
import { render } from 'preact';
import { start } from './opening.ts';
import { App } from './page/app.tsx';

render(<App />, document.getElementById('page') as HTMLElement);
void start();
