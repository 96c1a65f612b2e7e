import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
export const IMAGES = path.join(ROOT, 'tests/images');
/** What the tests make lies here. */
export const TARGET = path.join(ROOT, 'target/browser');
export const VIDEOS = path.join(TARGET, 'videos');
export const SCREENSHOTS = path.resolve(process.env.SCREENSHOTS || path.join(ROOT, 'target/browser-screenshots'));
export const LIFESIGN = path.resolve(process.env.LIFESIGN_BIN || path.join(ROOT, 'target/debug/lifesign'));
export const CHROMIUM = process.env.CHROMIUM || '/usr/bin/chromium';
