// The component as one module, for dist/ and the package.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  publicDir: false,
  resolve: { alias: { 'lifesign-capture': new URL('src/index.ts', import.meta.url).pathname } },
  build: {
    target: ['chrome123', 'firefox120', 'safari17.5'],
    lib: { entry: 'src/index.ts', formats: ['es'], fileName: () => 'lifesign-capture.js' },
    minify: true,
    rolldownOptions: { output: { minify: true } },
  },
  test: { environment: 'happy-dom', include: ['test/**/*.test.ts'] },
});
