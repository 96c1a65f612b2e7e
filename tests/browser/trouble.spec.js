import path from 'node:path';
import { IMAGES, ROOT } from './lib/paths.js';
import { Person } from './lib/person.js';
import { still } from './lib/pictures.js';
import { startService } from './lib/service.js';
import { expect, status, test } from './lib/test.js';

const PHOTO = /\/photo\?/;

test.describe('where the camera is refused', () => {
  test.use({ permissions: [] });

  test('it is explained, and a file does as well', async ({ page, service }) => {
    const session = await service.session();
    const person = new Person(page);
    await page.goto(session.url);
    await person.button('Start the camera').click();
    await person.sees('The camera is not allowed');
    await expect(page.getByRole('alert')).toContainText('allow the camera, then try again');
    await person.uploads(still('live'));
    await person.isPhotographed();
    await person.sends();
    await person.sees('Done, thank you');
    expect(await service.outcome(session.id)).toMatchObject({ passed: true });
  });

  test('a file that is no photograph is refused before it is sent', async ({ page, service }) => {
    const session = await service.session();
    const person = new Person(page);
    await page.goto(session.url);
    await person.button('Start the camera').click();
    await person.uploads(path.join(ROOT, 'README.md'));
    await expect(page.getByText('This file is not a photo that can be used.')).toBeVisible();
    await person.uploads(path.join(IMAGES, 'live_portrait_exif6.jpg'));
    await person.isPhotographed();
    const photo = page.getByRole('img', { name: 'The photo that was taken' });
    expect(await photo.evaluate((image) => image.complete && image.naturalWidth)).toBe(512);
    expect((await service.outcome(session.id)).uploadsLeft).toBe(3);
  });

  test('the permission may be given afterwards', async ({ page, context, service }) => {
    const person = new Person(page);
    await page.goto((await service.session()).url);
    await person.button('Start the camera').click();
    await person.sees('The camera is not allowed');
    await context.grantPermissions(['camera']);
    await person.button('Try again').click();
    await person.isPhotographed();
  });
});

test('a session that expired before it was opened says so', async ({ page, service }) => {
  const session = await service.session({ expires_in: 1 });
  await expect.poll(async () => (await service.outcome(session.id)).status, { intervals: [100] }).toBe('expired');
  await page.goto(session.url);
  await new Person(page).sees('The time is up');
  expect(await service.outcome(session.id)).toMatchObject({ passed: null, attempts: [] });
});

test('a session that expires while the page is open says so by itself, and lets the camera go', async ({ page, service, show, watch }) => {
  // The last preview frame may be the first to hear of it.
  watch.expected.push(status(410));
  await show('nobody');
  const session = await service.session({ expires_in: 6, return_url: 'https://shop.example/back' });
  const person = new Person(page);
  await page.goto(session.url);
  await person.startsCamera();
  await page.locator('[part=main]').evaluate((main) => {
    globalThis.steps = [main.dataset.step];
    new MutationObserver(() => { globalThis.steps.push(main.dataset.step); }).observe(main, { attributeFilter: ['data-step'] });
  });
  await person.sees('The time is up');
  expect(await page.evaluate(() => globalThis.steps), 'the person is sent nowhere else before').toEqual(['live', 'loading', 'expired']);
  expect(await page.locator('video').count()).toBe(0);
  await expect(person.button('Continue')).toBeVisible();
});

test('a person who is quicker than the camera’s first picture is photographed all the same', async ({ page, service, show }) => {
  await show('spoof');
  const person = new Person(page);
  await page.goto((await service.session()).url);
  await person.sees('Take a photo of your face');
  await page.evaluate(() => {
    const { shadowRoot } = document.querySelector('lifesign-capture');
    globalThis.notices = [];
    let shutter = null;
    new MutationObserver(() => {
      const notice = shadowRoot.querySelector('.notice');
      if (notice) globalThis.notices.push(notice.textContent);
      if (shutter) return;
      shutter = shadowRoot.querySelector('button.shutter');
      shutter?.click();
    }).observe(shadowRoot, { childList: true, subtree: true });
  });
  await person.button('Start the camera').click();
  await expect.poll(() => page.evaluate(() => [...globalThis.notices, document.querySelector('lifesign-capture').shadowRoot.querySelector('h2').textContent]))
    .toEqual(['Is the photo good?']);
});

test('a lost network loses no photograph', async ({ page, context, service, watch }) => {
  watch.expected.push(/net::ERR_INTERNET_DISCONNECTED/);
  const session = await service.session();
  const person = new Person(page);
  await page.goto(session.url);
  await person.startsCamera();
  await person.isPhotographed();
  await context.setOffline(true);
  await person.sends();
  await person.sees('No connection');
  await expect(page.getByText('Your photo is kept')).toBeVisible();
  await context.setOffline(false);
  await person.button('Try again').click();
  await person.sees('Done, thank you');
  expect((await service.outcome(session.id)).attempts).toHaveLength(1);
});

test.describe('while the service is busy', () => {
  let small;
  test.beforeAll(async () => { small = await startService('--max-body-memory', '1MiB', '--max-body-bytes', '1MiB'); });
  test.afterAll(() => small.stop());
  test.beforeEach(({ watch }) => {
    watch.origins.push(small.url);
    watch.expected.push(status(503));
  });

  test('a photograph is sent again by itself, and uses one upload', async ({ page }) => {
    const session = await small.session();
    const person = new Person(page);
    await page.goto(session.url);
    await person.startsCamera();
    await person.isPhotographed();

    const release = await small.hold(1000 << 10);
    const refused = page.waitForResponse(PHOTO);
    await person.sends();
    expect((await refused).status()).toBe(503);
    await person.sees('A lot is going on right now');
    await expect(page.getByText(/^Trying again in \d+ s$/)).toBeVisible();
    release();
    await person.sees('Done, thank you');
    expect(await small.outcome(session.id)).toMatchObject({ passed: true, uploadsLeft: 2 });
  });

  test('the browser guides alone, and the shutter goes off by itself once the service has time again', async ({ page }) => {
    const person = new Person(page);
    await page.goto((await small.session()).url);
    await person.sees('Take a photo of your face');
    const release = await small.hold(1023 << 10);
    await person.startsCamera();
    await person.isHinted('Fill the oval with your face, then take the photo');
    release();
    await person.isPhotographed();
  });
});
