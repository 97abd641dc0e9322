/**
 * @module browser: Debian's Chromium for tests, and a page that must not complain, nor ask anything
 * of another machine.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import AxeBuilder from 'axe-core';
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type LaunchOptions,
  type Page,
} from 'playwright-core';

export const builtPage = fileURLToPath(new URL('../../dist/visualizer/', import.meta.url));

/** @throws Error when there is none: a skipped test would look like a passed one */
export async function launch(): Promise<Browser> {
  return chromium.launch(debians());
}

/** One that keeps what its pages store in a folder, as a person's does. @throws as {@link launch} */
export async function launchWithProfile(folder: string): Promise<BrowserContext> {
  return chromium.launchPersistentContext(folder, debians());
}

function debians(): LaunchOptions {
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  if (!existsSync(executablePath)) {
    throw new Error(`no browser at ${executablePath}: apt-get install chromium, or set CHROMIUM`);
  }
  return { executablePath, args: ['--no-sandbox'] };
}

export interface WatchedPage {
  readonly page: Page;
  /** Errors on the console, uncaught ones, and requests that left this machine. */
  readonly complaints: string[];
  /** Of everything that was loaded. */
  readonly requests: string[];
}

export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    reducedMotion: 'reduce',
    ...options,
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    requests.push(request.url());
    const { protocol, hostname } = new URL(request.url());
    if (hostname !== '127.0.0.1' && protocol !== 'blob:') complaints.push(`left: ${request.url()}`);
  });
  page.on('websocket', (socket) => {
    if (new URL(socket.url()).hostname !== '127.0.0.1') complaints.push(`left: ${socket.url()}`);
  });
  await page.goto(url);
  return { page, complaints, requests };
}

/** Drops a file of that text onto the page. */
export async function drop(
  page: Page,
  content: string | Uint8Array,
  name = 'run.jsonl',
): Promise<void> {
  await page.evaluate(
    ([base64, called]) => {
      const dataTransfer = new DataTransfer();
      const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
      dataTransfer.items.add(new File([bytes], called));
      dispatchEvent(new DragEvent('drop', { dataTransfer }));
    },
    [Buffer.from(content).toString('base64'), name] as const,
  );
}

/** Violations of WCAG 2.2 A and AA, by rule and place. */
export async function audit(page: Page): Promise<readonly string[]> {
  await page.evaluate(`${AxeBuilder.source};0`);
  return page.evaluate(async () => {
    const axe = (globalThis as unknown as { axe: typeof AxeBuilder }).axe;
    const values = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
    const { violations } = await axe.run({ runOnly: { type: 'tag', values } });
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${target}: ${failureSummary}`),
    );
  });
}
