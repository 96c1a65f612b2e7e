// Every step that a person can come to, on a phone and on a desktop, light and dark: it is held against WCAG, and photographed for whoever
// wants to look (SCREENSHOTS names the folder). Unlike everywhere else, answers and cameras are made up here, to come to each step quickly.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { IMAGES, SCREENSHOTS } from './lib/paths.js';
import { Person } from './lib/person.js';
import { still } from './lib/pictures.js';
import { startTap } from './lib/service.js';
import { expect, expectAccessible, status, test } from './lib/test.js';

const DEVICES = {
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true },
  desktop: { viewport: { width: 1280, height: 800 } },
};
/** Screens on which it is hard to fit everything. */
const TIGHT = { phone: { small: [360, 640], landscape: [844, 390] }, desktop: { low: [1280, 600] } };

const QUALITY = { face_width: 100, face_height: 130, eye_distance: 45, yaw: 0, pitch: 0, sharpness: 60, brightness: 0.5 };
// Frames are at most 320 pixels long, of another shape on each screen: the face is in the middle of all of them.
const seen = (quality = {}, part = 0.42) => (size) => {
  const width = part * size.width;
  const height = 1.2 * width;
  return { faces: 1, face: { x: (size.width - width) / 2, y: (size.height - height) / 2, width, height }, quality: { ...QUALITY, ...quality } };
};
const HINTS = {
  none: [() => ({ faces: 0, face: null, quality: null }), 'Put your face in the oval'],
  several: [() => ({ ...seen()({ width: 240, height: 320 }), faces: 2 }), 'Only one person, please'],
  far: [seen({}, 0.15), 'Come closer'],
  close: [seen({}, 0.7), 'Move back a little'],
  turned: [seen({ yaw: 30 }), 'Look straight ahead'],
  dark: [seen({ brightness: 0.1 }), 'Too dark. Find more light'],
  bright: [seen({ brightness: 0.95 }), 'Too bright. Turn away from the light'],
  blurred: [seen({ sharpness: 5 }), 'Hold still'],
  good: [seen(), 'Good. Hold still'],
};
const CAMERA_TROUBLE = {
  NotAllowedError: 'The camera is not allowed',
  NotFoundError: 'No camera was found',
  NotReadableError: 'The camera is in use',
  SecurityError: 'This page may not use the camera',
  UnknownError: 'The camera could not be started',
};
const UNCLEAR = ['invalid_image', 'no_face_detected', 'multiple_faces_detected', 'face_too_far', 'face_close_to_border', 'face_rotation_too_large'];

/** The size of a JPEG file, from its frame header. */
function sizeOf(jpeg) {
  for (let at = 2; ; at += 2 + jpeg.readUInt16BE(at + 2)) {
    const kind = jpeg[at + 1];
    if (kind >= 0xc0 && kind <= 0xc2) return { width: jpeg.readUInt16BE(at + 7), height: jpeg.readUInt16BE(at + 5) };
  }
}

for (const [device, use] of Object.entries(DEVICES)) {
  test.describe(`every step on a ${device}`, () => {
    test.use(use);
    test.slow();

    /** Looks at what the page shows now, in both colours; where only the text is another than before, in one. */
    async function look(page, name, colours = ['dark', 'light']) {
      mkdirSync(SCREENSHOTS, { recursive: true });
      for (const colorScheme of colours) {
        await page.emulateMedia({ colorScheme });
        await page.screenshot({ path: path.join(SCREENSHOTS, `${name}-${device}-${colorScheme}.png`), fullPage: true });
        await expectAccessible(page, `${name} (${device}, ${colorScheme})`);
      }
      expect.soft(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} fits the screen's width`).toBe(true);
    }

    /** The same on screens with little room; what it is about must be there without scrolling. */
    async function lookTightly(page, name, button) {
      for (const [screen, [width, height]] of Object.entries(TIGHT[device])) {
        await page.setViewportSize({ width, height });
        await expect.soft(button, `${name} on ${width}x${height}`).toBeInViewport({ ratio: 1 });
        await page.screenshot({ path: path.join(SCREENSHOTS, `${name}-${screen}-light.png`) });
      }
      await page.setViewportSize(use.viewport);
    }

    test.beforeEach(async ({ page, watch }) => {
      watch.expected.push(status(401, 404, 422, 500, 503), /net::ERR_FAILED/);
      await page.addInitScript(() => {
        const real = MediaDevices.prototype.getUserMedia;
        MediaDevices.prototype.getUserMedia = function getUserMedia(wish) {
          const { trouble } = globalThis;
          if (trouble === 'slow') return new Promise((done) => { globalThis.allow = () => done(real.call(this, wish)); });
          return trouble ? Promise.reject(new DOMException('made up', trouble)) : real.call(this, wish);
        };
      });
    });

    test('up to the photograph', async ({ page, service }) => {
      const person = new Person(page);
      let answer = HINTS.none[0];
      let good = 0;
      await page.route(/\/frame$/, async (route) => {
        if (!answer) return route.fulfill({ status: 503, headers: { 'Retry-After': '1' }, json: {} });
        // A third good frame in a row would release the shutter.
        if (answer === HINTS.good[0] && ++good > 2) return undefined;
        return route.fulfill({ json: { data: answer(sizeOf(route.request().postDataBuffer())) } });
      });
      let load;
      await page.route(/\/capture$/, (route) => { load = route; }, { times: 1 });

      await page.goto((await service.session()).url);
      await expect(page.getByText('One moment…')).toBeVisible();
      await look(page, '01-loading');
      await load.continue();
      await person.sees('Take a photo of your face');
      await look(page, '02-welcome');
      await lookTightly(page, '02-welcome', person.button('Start the camera'));

      await page.evaluate(() => { globalThis.trouble = 'slow'; });
      await person.button('Start the camera').click();
      await person.sees('Allow the camera');
      await look(page, '03-asking');
      await page.evaluate(() => { globalThis.trouble = 'NotAllowedError'; globalThis.allow(); });
      await person.sees('Look into the camera');

      for (const [name, [made, hint]] of Object.entries(HINTS)) {
        answer = made;
        await person.isHinted(hint);
        await look(page, `04-live-${name}`, ['none', 'bright', 'good'].includes(name) ? undefined : ['light']);
      }
      await lookTightly(page, '04-live-good', person.button('Take the photo'));
      await person.button('Take the photo').click();
      await person.sees('Is the photo good?');
      await look(page, '05-review');
      await lookTightly(page, '05-review', person.button('Use this photo'));

      for (const [error, heading] of Object.entries(CAMERA_TROUBLE)) {
        await page.evaluate((name) => { globalThis.trouble = name; }, error);
        await page.getByRole('button', { name: /^(Take another|Try again)$/ }).click();
        await person.sees(heading);
        await look(page, `06-camera-${error}`, error === 'NotAllowedError' ? undefined : ['light']);
      }
      await page.evaluate(() => { delete globalThis.trouble; });
      answer = null;
      await person.button('Try again').click();
      await person.isHinted('Fill the oval with your face, then take the photo');
      await look(page, '07-live-alone');
      await page.evaluate(() => {
        Object.defineProperty(document, 'hidden', { value: true });
        document.dispatchEvent(new Event('visibilitychange'));
      });
      await person.sees('The camera is off');
      await look(page, '08-paused');
    });

    test('after the photograph', async ({ page, service, show, watch }) => {
      await show('nobody');
      const tap = await startTap(service);
      watch.origins.push(tap.url, 'https://shop.example');
      const person = new Person(page);
      let answer = null;
      await page.route(/\/photo\?/, (route) => {
        if (!answer) return route.continue();
        return answer === 'lost' ? route.abort() : route.fulfill(answer);
      });
      const sends = async (file) => {
        if (file) await person.uploads(file, 'Choose another photo');
        await person.sees('Is the photo good?');
        await person.sends();
      };

      await page.goto((await service.session({ uploads: 10 }, tap.url)).url);
      await person.startsCamera();
      await person.releasesShutter();
      answer = { status: 200, json: { data: { passed: false, status: 'open', uploadsLeft: 2, returnUrl: null } } };
      await person.sends();
      await person.sees('That did not work');
      await look(page, '10-refused');
      await person.button('Try again').click();
      await person.releasesShutter();
      answer = { status: 422, json: { failureReason: 'no_face_detected' } };
      await person.sends();
      await person.sees('Please take another photo');
      await look(page, '11-unclear-camera');

      // The rest with files: that is quicker.
      await page.reload();
      await page.evaluate(() => { globalThis.trouble = 'NotAllowedError'; });
      await person.button('Start the camera').click();
      await person.uploads(path.join(IMAGES, 'README.md'));
      await expect(page.getByText('This file is not a photo that can be used.')).toBeVisible();
      await look(page, '12-file-no-photo');
      await person.uploads(still('live'));
      await look(page, '13-review-file');
      for (const failureReason of UNCLEAR) {
        answer = { status: 422, json: { failureReason } };
        if (failureReason === UNCLEAR[0]) await sends();
        else await sends(still('live'));
        await person.sees('Please take another photo');
        await look(page, `14-unclear-${failureReason}`, failureReason === UNCLEAR[0] ? undefined : ['light']);
      }

      answer = { status: 503, headers: { 'Retry-After': '30' }, json: {} };
      await sends(still('live'));
      await person.sees('A lot is going on right now');
      await look(page, '15-busy');
      answer = { status: 503, headers: { 'Retry-After': '600' }, json: {} };
      await person.button('Try again').click();
      await expect(page.getByText('Please wait a few minutes')).toBeVisible();
      await look(page, '16-busy-later');
      answer = 'lost';
      await person.button('Try again').click();
      await person.sees('No connection');
      await look(page, '17-offline');
      answer = { status: 500, json: {} };
      await person.button('Try again').click();
      await person.sees('Something went wrong');
      await look(page, '18-fault');

      // Real from here on, but slow.
      await page.unroute(/\/photo\?/);
      tap.hold();
      await person.button('Try again').click();
      await person.sees('Checking the photo');
      await look(page, '19-checking');
      tap.release();
      await person.sees('Done, thank you');
      await look(page, '20-passed');
      tap.stop();
    });

    test('at the end', async ({ page, service, watch }) => {
      const person = new Person(page);
      let data;
      await page.route(/\/capture$/, (route) => route.fulfill({ json: { data } }));
      const over = { status: 'finished', passed: true, nonce: '0'.repeat(32), uploadsLeft: 2, expiresAt: '2030-01-01T00:00:00.000Z', secondsLeft: 800, returnUrl: 'https://shop.example/back' };
      watch.origins.push('https://shop.example');
      const { url } = await service.session();
      const comesTo = async (name, heading, said) => {
        data = { ...over, ...said };
        // Another address each time: else only the fragment changed, and nothing would be loaded.
        await page.goto(url.replace('#', `?${name}#`));
        await person.sees(heading);
        await look(page, name);
      };
      // The way back is followed by itself after three seconds, which is too soon for looking.
      await page.clock.install();
      await comesTo('21-passed-return', 'Done, thank you', {});
      await comesTo('22-failed', 'The check was not passed', { passed: false, uploadsLeft: 0, returnUrl: null });
      await comesTo('23-failed-return', 'The check was not passed', { passed: false, uploadsLeft: 0 });
      await comesTo('24-expired', 'The time is up', { status: 'expired', passed: null, secondsLeft: 0 });
      await page.unroute(/\/capture$/);
      await page.goto(`${service.url}/capture/0123456789abcdef01234567`);
      await person.sees('This link does not work');
      await look(page, '25-link');
    });

    test('the welcome page', async ({ page, service }) => {
      const tries = async (file) => {
        const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.getByRole('button', { name: /^(Choose a photo|Try another photo)$/ }).click()]);
        await chooser.setFiles(file);
      };
      await page.goto(service.url);
      await expect(page.getByText('Ready', { exact: true })).toBeVisible();
      await expect(page.getByRole('row')).not.toHaveCount(0);
      await expect(page.getByRole('link', { name: 'API to browse and try' })).toBeVisible();
      await look(page, '30-operator');
      await tries(still('live'));
      await expect(page.getByRole('heading', { name: 'Live', exact: true })).toBeVisible();
      await look(page, '31-operator-live');
      await tries(still('spoof'));
      await expect(page.getByRole('heading', { name: 'Spoof', exact: true })).toBeVisible();
      await look(page, '32-operator-spoof');
      await tries(still('nobody'));
      await expect(page.getByText(/^No face was found\./)).toBeVisible();
      await look(page, '33-operator-unclear');
      await page.reload();
      await page.getByRole('button', { name: 'Use the camera' }).click();
      await expect(page.getByRole('button', { name: 'Take the photo' })).toBeVisible();
      await new Person(page).seesThemselves();
      await look(page, '34-operator-camera');
      await page.route('**/try', (route) => route.fulfill({ json: { data: { enabled: false } } }));
      await page.route('**/readyz', (route) => route.fulfill({ status: 503, json: {} }));
      await page.reload();
      await expect(page.getByText('Running, but not ready')).toBeVisible();
      await look(page, '35-operator-off');
    });
  });
}
