/**
 * @module look: the built site in Chromium, out of the file system, on a phone and on a desktop:
 * nothing is asked of another machine, nothing is wider than the window, and the search finds.
 *
 *     node docs/site/look.mjs SITE [FOLDER FOR PICTURES]
 */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const [site, pictures] = process.argv.slice(2).map((path) => resolve(path));
const windows = { phone: { width: 390, height: 844 }, desktop: { width: 1440, height: 900 } };
const looked = [
  'index.html',
  'documents/Getting_started.html',
  'documents/Errors.html',
  'documents/Formats.html',
  'documents/How_the_protocol_works.html',
  'documents/Performance.html',
  'modules.html',
  'classes/tahoe-mutable.Grid.html',
  'variables/tahoe-mutable_machines.publishMachine.html',
];
const problems = [];

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
for (const [name, viewport] of Object.entries(windows)) {
  const page = await browser.newPage({ viewport });
  page.on('request', (request) => {
    if (!/^(file|data|blob):/.test(request.url())) problems.push(`${name}: ${request.url()}`);
  });
  page.on('pageerror', (error) => problems.push(`${name}: ${page.url()}: ${error}`));
  for (const path of looked) {
    await page.goto(pathToFileURL(join(site, path)).href);
    const { scrollWidth, clientWidth } = await page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.documentElement;
      return { scrollWidth, clientWidth };
    });
    if (scrollWidth > clientWidth) {
      problems.push(`${name}: ${path} is ${scrollWidth} pixels wide, not ${clientWidth}`);
    }
    if (pictures !== undefined) {
      mkdirSync(pictures, { recursive: true });
      const file = `${name}-${path.replace(/[/\\]/g, '-').replace(/\.html$/, '')}.png`;
      await page.screenshot({ path: join(pictures, file) });
    }
  }
  for (const word of ['renewLeases', 'UncoordinatedWriteError', 'theorem']) {
    await page.goto(pathToFileURL(join(site, 'index.html')).href);
    await page.click('#tsd-search-trigger');
    await page.fill('#tsd-search-input', word);
    const found = page.locator('#tsd-search-results li a').first();
    await found.waitFor({ timeout: 10_000 }).catch(() => {
      problems.push(`${name}: the search finds nothing for ${word}`);
    });
    if (pictures !== undefined)
      await page.screenshot({ path: join(pictures, `${name}-${word}.png`) });
  }
  await page.close();
}
await browser.close();

console.log(`${looked.length} pages looked at, on ${Object.keys(windows).join(' and ')}`);
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
