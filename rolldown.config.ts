/**
 * The command line in a few files: of a short command's time, most went into finding and opening
 * two hundred modules. They are CommonJS, which Node loads at once: for ES modules it has a loader that takes
 * turns with everything else. The library ships as it was compiled, module by module.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'rolldown';

/** What a bundle has in it of others goes with the texts of their licenses. */
function withLicenses(): Plugin {
  return {
    name: 'licenses',
    async generateBundle() {
      const folders = [...this.getModuleIds()].flatMap(
        (id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? [],
      );
      const texts = [...new Set(folders)].sort().map(licenseOf);
      const source = (await Promise.all(texts)).join('\n');
      this.emitFile({ type: 'asset', fileName: 'LICENSES.txt', source });
    },
  };
}

async function licenseOf(folder: string): Promise<string> {
  const { name, version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const file = (await readdir(folder)).find((name) => /^licen[cs]e/i.test(name));
  if (file === undefined) throw new Error(`${name}: no license to go with it`);
  return `${name} ${version}\n\n${await readFile(join(folder, file), 'utf8')}`;
}

/** As it is when this is made: at every start, to look for package.json takes 3 ms. */
function withVersion(): Plugin {
  return {
    name: 'version',
    async load(id) {
      if (!/[\\/]src[\\/]package-version\.ts$/.test(id)) return;
      const file = new URL('package.json', import.meta.url);
      const { version } = JSON.parse(await readFile(file, 'utf8'));
      return `export const packageVersion = () => ${JSON.stringify(version)};`;
    },
  };
}

/** Where commands begin that open a grid, and read from it. */
const readers = /[\\/]src[\\/](open-grid|runtime[\\/](operations|workbench|new-session))\.ts$/;

/** What these import, all that writes, walks or downloads is loaded by its own `import()`. */
const read = new Set<string>();

function notingWhatReads(): Plugin {
  return {
    name: 'what reads',
    buildEnd() {
      const left = [...this.getModuleIds()].filter((id) => readers.test(id));
      for (const id of left) {
        if (read.has(id)) continue;
        read.add(id);
        left.push(...(this.getModuleInfo(id)?.importedIds ?? []));
      }
    },
  };
}

export default defineConfig({
  input: 'src/cli/main.ts',
  platform: 'node',
  resolve: {
    // Modules before CommonJS: of these, only what is used goes into the bundle.
    conditionNames: ['@tahoe-mutable/source', 'module', 'node', 'import', 'default'],
    alias: { yaml: fileURLToPath(new URL('node_modules/yaml/browser/index.js', import.meta.url)) },
  },
  // A native addon, found beside its own package.
  external: ['fs-native-extensions'],
  plugins: [withLicenses(), withVersion(), notingWhatReads()],
  // What pages load late, a command has in the file that it is about to load.
  checks: { ineffectiveDynamicImport: false },
  output: {
    // As deep as `src/cli`, so that the page of the visualizer is where the inspector looks.
    dir: 'dist/bundle/cli',
    cleanDir: true,
    format: 'cjs',
    entryFileNames: '[name].cjs',
    chunkFileNames: '[name].cjs',
    // Comments, blanks and long names of variables are only more to read; those of functions and
    // classes stay, for what --verbose prints.
    minify: {
      compress: { keepNames: { function: true, class: true } },
      mangle: { toplevel: false, keepNames: true },
      codegen: { removeWhitespace: true },
    },
    // By what is wanted first: every command, then those with a cap, then those with a grid.
    codeSplitting: {
      groups: [
        { name: 'start', tags: ['$initial'], test: /(?<!cli[\\/]main\.ts)$/ },
        {
          name: 'cap',
          test: /[\\/]src[\\/](crypto[\\/]|bytes|caps|hidden|turn)|@noble[\\/]hashes/,
        },
        { name: 'grid', test: (id) => read.has(id) },
      ],
    },
  },
});
