// What every test has: a browser with a camera that shows what the test wants, the service, and a watch on the page.
import { readFileSync } from 'node:fs';
import { copyFile, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { test as base, chromium, expect } from '@playwright/test';
import { CHROMIUM, VIDEOS } from './paths.js';
import { video } from './pictures.js';
import { startService } from './service.js';

export { expect };

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What Chromium itself writes to the console about an answer that is no success. */
export const status = (...codes) => new RegExp(`^Failed to load resource: the server responded with a status of (${codes.join('|')}) `);

export function launch(...args) {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
      // Whatever is asked of the internet fails, and is seen.
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
      ...args,
    ],
  });
}

export const test = base.extend({
  /** What the camera shows: one of the videos; or how many cameras there are, which show a test picture. */
  camera: ['live', { option: true, scope: 'worker' }],

  cameraFile: [async ({ camera }, use, { parallelIndex }) => {
    if (typeof camera === 'number') return use(null);
    const file = path.join(VIDEOS, `camera-${parallelIndex}.mjpeg`);
    await copyFile(video(camera), file);
    await use(file);
    await rm(file);
  }, { scope: 'worker' }],

  browser: [async ({ camera, cameraFile }, use) => {
    const browser = await launch(...(cameraFile
      ? ['--use-fake-device-for-media-stream', `--use-file-for-fake-video-capture=${cameraFile}`]
      : [`--use-fake-device-for-media-stream=device-count=${camera}`]));
    await use(browser);
    await browser.close();
  }, { scope: 'worker' }],

  /** Puts another video before the camera; it is seen when the camera is started the next time. */
  show: async ({ camera, cameraFile }, use) => {
    const put = async (name) => {
      await copyFile(video(name), `${cameraFile}.new`);
      await rename(`${cameraFile}.new`, cameraFile);
    };
    await use(put);
    await put(camera);
  },

  service: [async ({}, use) => {
    const service = await startService();
    await use(service);
    await service.stop();
  }, { scope: 'worker' }],

  /**
   * Whatever a test is about, it fails where the page writes an error to the console, breaks its own policy, throws, or asks anybody for
   * anything but the service. `expected` are errors that the test provokes, `origins` those that it goes to on purpose.
   */
  watch: [async ({ context, service }, use) => {
    const seen = [];
    const watch = { expected: [], origins: [service.url], requests: [] };
    await context.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => console.error(`policy broken: ${event.violatedDirective} ${event.blockedURI}`));
    });
    context.on('console', (message) => { if (['error', 'warning'].includes(message.type())) seen.push(message.text()); });
    context.on('weberror', ({ error }) => { seen.push(`thrown: ${error()}`); });
    context.on('request', (request) => { watch.requests.push(request); });
    await use(watch);
    expect.soft(seen.filter((text) => !watch.expected.some((one) => one.test(text))), 'errors in the console').toEqual([]);
    const foreign = watch.requests.map((request) => request.url()).filter((url) => !/^(blob|data|about):/.test(url) && !watch.origins.includes(new URL(url).origin));
    expect.soft(foreign, 'requests to others than the service').toEqual([]);
  }, { auto: true }],
});

/** Fails where the page breaks WCAG 2 at the levels A and AA, or what axe takes for good practice. */
export async function expectAccessible(page, what) {
  // Not as a script of the page, which its policy would refuse.
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'], resultTypes: ['violations'],
  }));
  const said = violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.flat().join(' ')}: ${node.failureSummary}`));
  expect.soft(said, `accessibility of ${what}`).toEqual([]);
}
