import { defineConfig } from '@playwright/test';
import path from 'node:path';
import { TARGET } from './lib/paths.js';

export default defineConfig({
  testDir: '.',
  outputDir: path.join(TARGET, 'results'),
  globalSetup: './lib/setup.js',
  fullyParallel: true,
  forbidOnly: process.env.CI === 'true',
  retries: 0,
  workers: 2,
  timeout: 30_000,
  reporter: [['list']],
  expect: { timeout: 10_000 },
  use: { permissions: ['camera'], locale: 'en-US', actionTimeout: 10_000 },
});
