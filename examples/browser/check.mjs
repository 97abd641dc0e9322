/** The built page in Chromium: what was kept is there after a reload, and in another tab. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { chromium } from 'playwright-core';

const types = { '.html': 'text/html', '.js': 'text/javascript' };
const server = createServer(async ({ url }, response) => {
  const path = url === '/' ? 'index.html' : url.slice(1);
  const body = await readFile(join('dist', path)).catch(() => undefined);
  if (body === undefined) response.writeHead(404).end();
  else response.writeHead(200, { 'content-type': types[extname(path)] }).end(body);
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const address = `http://127.0.0.1:${server.address().port}/`;

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
const context = await browser.newContext();

async function tab() {
  const page = await context.newPage();
  page.on('pageerror', (error) => assert.fail(error));
  await page.goto(address);
  await page.getByText('ready').waitFor();
  return page;
}

async function keep(page, note) {
  await page.getByLabel('A note').fill(note);
  await page.getByRole('button', { name: 'Keep' }).click();
  await page.getByRole('listitem').getByText(note).waitFor();
}

const notesOf = (page) => page.getByRole('listitem').allTextContents();

const first = await tab();
await keep(first, 'buy milk');
await first.reload();
await first.getByText('ready').waitFor();
assert.deepEqual(await notesOf(first), ['buy milk']);

const second = await tab();
await Promise.all([keep(first, 'call Ann'), keep(second, 'water plants')]);
await first.reload();
await first.getByText('ready').waitFor();
assert.deepEqual((await notesOf(first)).sort(), ['buy milk', 'call Ann', 'water plants']);
console.log('three notes, kept by two tabs, are there after a reload');

await browser.close();
server.close();
