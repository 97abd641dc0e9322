/**
 * @module links: every link of the built site leads somewhere, anchors too, and nothing is asked of
 * another machine. And of the packed README: what it links to is in the package.
 *
 *     node docs/site/links.mjs SITE PACKAGE
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const [site, installed] = process.argv.slice(2).map((path) => resolve(path));
const problems = [];
let followed = 0;
let outside = 0;

const entities = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };
const decoded = (text) => text.replace(/&(amp|lt|gt|quot|#39);/g, (_, name) => entities[name]);
const attributesOf = (html, name) =>
  [...html.matchAll(new RegExp(`<(\\w+)[^>]*?\\s${name}="([^"]*)"`, 'g'))].map(
    ([, tag, value]) => ({ tag, value: decoded(value) }),
  );

const pages = new Map();
for (const name of readdirSync(site, { recursive: true })) {
  if (!name.endsWith('.html')) continue;
  const html = readFileSync(join(site, name), 'utf8');
  const ids = new Set(attributesOf(html, 'id').map(({ value }) => value));
  pages.set(join(site, name), { html, ids });
}

for (const [page, { html }] of pages) {
  for (const { tag, value } of [...attributesOf(html, 'href'), ...attributesOf(html, 'src')]) {
    const complain = (what) => problems.push(`${relative(site, page)}: ${value}: ${what}`);
    if (/^[a-z]+:/i.test(value)) {
      outside += 1;
      if (tag !== 'a') complain('is asked of another machine');
      continue;
    }
    followed += 1;
    const [path, anchor = ''] = value.split('#');
    const target = path === '' ? page : resolve(dirname(page), decodeURIComponent(path));
    if (!existsSync(target) || statSync(target).isDirectory()) complain('is not there');
    else if (
      anchor !== '' &&
      target.endsWith('.html') &&
      !pages.get(target)?.ids.has(decodeURIComponent(anchor))
    ) {
      complain('has no such anchor');
    }
  }
}

const readme = readFileSync(join(installed, 'README.md'), 'utf8');
const linked = [...readme.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path]) => path);
for (const path of linked) {
  if (!existsSync(join(installed, path))) problems.push(`README.md: ${path} is not in the package`);
}

console.log(`${pages.size} pages, ${followed} links followed, ${outside} lead outside`);
console.log(`${linked.length} links of the README in the package`);
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
