// The pages that the service's binary carries. Stable names, no maps and no dates: the same bytes wherever they are built.
import { copyFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { defineConfig, type Plugin } from 'vite';
import { mock } from './dev/mock.ts';

const here = import.meta.dirname;
const out = resolve(here, '../crates/lifesign-server/pages');
const component = 'assets/lifesign-capture.js';

/** The component is a file of its own, byte for byte that of the package, which other sites can load, too. */
function componentBeside(): Plugin {
  return {
    name: 'component-beside',
    apply: 'build',
    enforce: 'pre',
    resolveId: (id) => (id === 'lifesign-capture' ? { id: `/${component}`, external: 'absolute' } : null),
    closeBundle: () => copyFileSync(resolve(here, 'dist/lifesign-capture.js'), resolve(out, component)),
  };
}

export default defineConfig(({ command }) => ({
  root: resolve(here, 'pages'),
  publicDir: resolve(here, 'public'),
  appType: 'mpa',
  server: { fs: { allow: [here] } },
  plugins: [componentBeside(), mock()],
  resolve: { alias: command === 'serve' ? { 'lifesign-capture': resolve(here, 'src/index.ts') } : {} },
  build: {
    target: ['chrome123', 'firefox120', 'safari17.5'],
    outDir: out,
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: { capture: resolve(here, 'pages/capture.html'), welcome: resolve(here, 'pages/welcome.html') },
      output: { entryFileNames: 'assets/[name].js', chunkFileNames: 'assets/[name].js', assetFileNames: 'assets/[name][extname]' },
    },
  },
}));
