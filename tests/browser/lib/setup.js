import { rm } from 'node:fs/promises';
import { TARGET } from './paths.js';
import { makeVideos } from './pictures.js';
import { launch } from './test.js';

/** Once, before all tests. */
export default async function setup() {
  await rm(TARGET, { recursive: true, force: true });
  const browser = await launch();
  try {
    await makeVideos(browser);
  } finally {
    await browser.close();
  }
}
