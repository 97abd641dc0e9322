import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin, runnerImport } from 'vite';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const alias = { '#crypto': path('../src/crypto/portable.ts') };

const options = { configFile: false, logLevel: 'error', resolve: { alias } } as const;

/** Plays every scenario file. */
function scenarios(): Plugin {
  return {
    name: 'scenarios',
    apply: 'build',
    async generateBundle() {
      type Module = typeof import('./src/scenario-presets.ts');
      const { module } = await runnerImport<Module>(path('src/scenario-presets.ts'), options);
      const folder = path('../test/scenarios/');
      const names = (await readdir(folder)).filter((name) => name.endsWith('.txt')).sort();
      const presets = [];
      for (const name of names) {
        const text = await readFile(`${folder}${name}`, 'utf8');
        presets.push(...(await module.scenarioPresets(name.slice(0, -'.txt'.length), text)));
      }
      const source = JSON.stringify(presets);
      this.emitFile({ type: 'asset', fileName: 'scenarios.json', source });
    },
  };
}

/** Runs the scene that the page opens with. */
function firstScene(): Plugin {
  return {
    name: 'first-scene',
    apply: 'build',
    async generateBundle() {
      type FirstScene = typeof import('./src/first-scene.ts');
      const { module } = await runnerImport<FirstScene>(path('src/first-scene.ts'), options);
      const source = JSON.stringify(await module.firstScene());
      this.emitFile({ type: 'asset', fileName: 'first-scene.json', source });
    },
  };
}

/** Places the shipped charts; a page under development gets them too. */
function charts(): Plugin {
  const make = async () => {
    type Module = typeof import('./src/shipped-charts.ts');
    const { module } = await runnerImport<Module>(path('src/shipped-charts.ts'), options);
    return JSON.stringify(await module.shippedCharts());
  };
  return {
    name: 'charts',
    configureServer(server) {
      server.middlewares.use('/charts.json', async (_, response) => {
        response.setHeader('content-type', 'application/json').end(await make());
      });
    },
    async generateBundle() {
      this.emitFile({ type: 'asset', fileName: 'charts.json', source: await make() });
    },
  };
}

/** The glossary as a page, and its words for those who link to it. */
function glossary(): Plugin {
  const read = async () => {
    type Module = typeof import('./src/glossary-page.ts');
    const { module } = await runnerImport<Module>(path('src/glossary-page.ts'), options);
    return module.glossaryPage(await readFile(path('../docs/glossary.md'), 'utf8'));
  };
  return {
    name: 'glossary',
    async transformIndexHtml(html, { filename }) {
      return filename.endsWith('glossary.html')
        ? html.replace('<!-- docs/glossary.md -->', (await read()).body)
        : html;
    },
    async generateBundle() {
      const { words } = await read();
      const source = JSON.stringify(words);
      this.emitFile({ type: 'asset', fileName: 'glossary.json', source });
    },
  };
}

/** Vite itself brings styles inline while one develops; no page that is built may. */
function styleWhileDeveloping(): Plugin {
  return {
    name: 'style-while-developing',
    apply: 'serve',
    transformIndexHtml: (html) =>
      html.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'"),
  };
}

export default defineConfig({
  root: path('.'),
  // Relative: the build opens from any folder of any web server.
  base: './',
  resolve: { alias },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  plugins: [charts(), firstScene(), glossary(), scenarios(), styleWhileDeveloping()],
  // Errors are told by their names.
  worker: { format: 'es', rolldownOptions: { output: { keepNames: true } } },
  build: {
    outDir: path('../dist/visualizer'),
    emptyOutDir: true,
    target: 'es2023',
    modulePreload: { polyfill: false },
    // The layout engine comes as it is, in a file of its own.
    chunkSizeWarningLimit: 1500,
    rolldownOptions: { input: [path('index.html'), path('glossary.html')] },
  },
  server: { host: '127.0.0.1', fs: { allow: [path('..')] } },
});
