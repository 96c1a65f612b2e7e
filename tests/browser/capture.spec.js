import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import path from 'node:path';
import { LIFESIGN, TARGET } from './lib/paths.js';
import { Person, statements } from './lib/person.js';
import { startService, startSite } from './lib/service.js';
import { expect, status, test } from './lib/test.js';

test('a live person is photographed without touching the shutter, passes, and is taken back', async ({ page, service, watch }) => {
  const shop = await startSite(() => '<!doctype html><title>Shop</title>');
  watch.origins.push(shop.url);
  const session = await service.session({ return_url: `${shop.url}/back?order=7` });
  const person = new Person(page);

  await page.goto(session.url);
  await person.sees('Take a photo of your face');
  await person.startsCamera();
  await person.isPhotographed();
  const photo = page.getByRole('img', { name: 'The photo that was taken' });
  expect(await photo.evaluate((image) => [image.naturalWidth, image.naturalHeight]), 'the whole picture of the camera').toEqual([1280, 720]);
  expect(await page.locator('video').count(), 'the camera is off while the person decides').toBe(0);
  await person.sends();
  await person.sees('Done, thank you');
  expect((await person.focused()).text).toBe('Continue');

  await page.waitForURL(`${shop.url}/back?order=7&capture_session=${session.id}`);
  expect(shop.asked.find(({ url }) => url.startsWith('/back')).headers.referer, 'where the person was').toBeUndefined();

  const outcome = await service.outcome(session.id);
  expect(outcome).toMatchObject({ id: session.id, status: 'finished', passed: true, nonce: session.nonce, uploadsLeft: 2 });
  expect(outcome.attempts).toEqual([expect.objectContaining({ passed: true, os: 'DESKTOP', failureReason: null, captureSession: session.id })]);
  expect(statements(outcome.receipt)).toMatchObject({ capture_session: session.id, nonce: session.nonce, passed: true, jti: outcome.attempts[0].id });
  shop.stop();
});

test('a face on a display does not pass, may be tried again, and is not passed when all uploads are used up', async ({ page, service, show }) => {
  await show('spoof');
  const session = await service.session({ uploads: 2 });
  const person = new Person(page);
  const answers = [];
  page.on('response', async (response) => { if (response.url().includes('/photo')) answers.push(await response.json()); });

  await page.goto(session.url);
  await person.startsCamera();
  await person.releasesShutter();
  await person.sends();
  await person.sees('That did not work');
  await expect(page.getByRole('alert')).toContainText('could not be confirmed');
  await expect(page.getByText('Photos left: 1')).toBeVisible();
  expect(await service.outcome(session.id)).toMatchObject({ status: 'open', passed: null, uploadsLeft: 1 });

  await person.button('Try again').click();
  await person.releasesShutter();
  await person.sends();
  await person.sees('The check was not passed');
  const outcome = await service.outcome(session.id);
  expect(outcome).toMatchObject({ status: 'finished', passed: false, uploadsLeft: 0 });
  expect(outcome.attempts.map(({ passed }) => passed)).toEqual([false, false]);
  expect(JSON.stringify(answers), 'how far an attacker is').not.toMatch(/score/);
});

test('a second photograph may pass where the first did not', async ({ page, service, show }) => {
  await show('spoof');
  const session = await service.session();
  const person = new Person(page);

  await page.goto(session.url);
  await person.startsCamera();
  await person.releasesShutter();
  await person.sends();
  await person.sees('That did not work');
  await show('live');
  await person.button('Try again').click();
  await person.isPhotographed();
  await person.sends();
  await person.sees('Done, thank you');
  expect(await service.outcome(session.id)).toMatchObject({ passed: true, uploadsLeft: 1 });
});

test('without a face the shutter waits, and a photograph is refused with the reason', async ({ page, service, show, watch }) => {
  watch.expected.push(status(422));
  await show('nobody');
  const session = await service.session();
  const person = new Person(page);

  await page.goto(session.url);
  await person.startsCamera();
  // One more than the shutter needs good ones.
  for (let frames = 0; frames < 4; frames++) await page.waitForResponse(/\/frame$/);
  await person.isHinted('Put your face in the oval');
  await person.releasesShutter();
  await person.sends();
  await person.sees('Please take another photo');
  await expect(page.getByRole('alert')).toHaveText(/^No face was found\./);
  await expect(page.getByText('Photos left: 2')).toBeVisible();
  expect((await service.outcome(session.id)).attempts).toEqual([expect.objectContaining({ failureReason: 'no_face_detected', liveness_score: null })]);

  await show('live');
  await person.button('Try again').click();
  await person.isPhotographed();
  await person.sends();
  await person.sees('Done, thank you');
});

test('of two people nobody is photographed unasked, and a photograph of both is refused with the reason', async ({ page, service, show, watch }) => {
  watch.expected.push(status(422));
  await show('two');
  const person = new Person(page);

  await page.goto((await service.session()).url);
  await person.startsCamera();
  await person.isHinted('Only one person, please');
  await person.releasesShutter();
  await person.sends();
  await person.sees('Please take another photo');
  await expect(page.getByRole('alert')).toHaveText(/^There is more than one face/);
});

test('a person may look at the photograph, and take another', async ({ page, service }) => {
  const session = await service.session();
  const person = new Person(page);

  await page.goto(session.url);
  await person.startsCamera();
  await person.isPhotographed();
  await person.button('Take another').click();
  await person.sees('Look into the camera');
  await person.isPhotographed();
  expect(await service.outcome(session.id), 'nothing was sent yet').toMatchObject({ attempts: [], uploadsLeft: 3 });
});

test('the keyboard alone goes all the way', async ({ page, service, watch }) => {
  const shop = await startSite(() => '<!doctype html><title>Shop</title>');
  watch.origins.push(shop.url);
  const session = await service.session({ return_url: `${shop.url}/back` });
  const person = new Person(page);

  await page.goto(session.url);
  await person.sees('Take a photo of your face');
  await person.presses('Start the camera');
  await person.sees('Look into the camera');
  expect((await person.focused()).text, 'the new step is read out').toBe('Look into the camera');
  await person.isPhotographed();
  expect((await person.focused()).text).toBe('Is the photo good?');
  await person.presses('Take another', 'Space');
  await person.sees('Look into the camera');
  await person.seesThemselves();
  await person.presses('Take the photo', 'Space');
  await person.isPhotographed();
  await person.presses('Use this photo');
  await person.sees('Done, thank you');
  await person.presses('Continue');
  await page.waitForURL(`${shop.url}/back?capture_session=${session.id}`);
  shop.stop();
});

test('a reload keeps the session, and another tab without the link does not have it', async ({ page, context, service, watch }) => {
  const session = await service.session();
  const person = new Person(page);

  await page.goto(session.url);
  await person.startsCamera();
  await page.reload();
  await person.sees('Take a photo of your face');
  await person.startsCamera();
  await person.isPhotographed();
  await person.sends();
  await person.sees('Done, thank you');
  await page.reload();
  await person.sees('Done, thank you');

  const other = await context.newPage();
  await other.goto(session.url.replace(/#.*/, ''));
  await new Person(other).sees('This link does not work');
  watch.expected.push(status(401));
  await other.goto(`${session.url.slice(0, -1)}${session.url.endsWith('A') ? 'B' : 'A'}`);
  await new Person(other).sees('This link does not work');
});

test('the person is told before whether the photograph is kept', async ({ page, service, watch }) => {
  await page.goto((await service.session()).url);
  await expect(page.getByText('is not stored')).toBeVisible();

  const folder = mkdtempSync(path.join(TARGET, 'kept-'));
  const key = execFileSync(LIFESIGN, ['image', 'keygen', '--out', path.join(folder, 'key')], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  const keeping = await startService('--images-keep-in', path.join(folder, 'photographs'), '--images-keep-key', key);
  watch.origins.push(keeping.url);
  await page.goto((await keeping.session()).url);
  await expect(page.getByText('kept encrypted for a time')).toBeVisible();
  await keeping.stop();
});

test('the language can be chosen for the person', async ({ page, service }) => {
  await page.goto((await service.session()).url.replace('#', '?lang=es#'));
  await new Person(page).sees('Toma una foto de tu rostro');
});

test.describe('in Spanish', () => {
  test.use({ locale: 'es-MX' });

  test('the whole page speaks the language of the browser', async ({ page, service }) => {
    await page.goto((await service.session()).url);
    const heading = page.getByRole('heading', { level: 2 });
    await expect(heading).toHaveText('Toma una foto de tu rostro');
    await expect(page.locator('html')).toHaveAttribute('lang', 'es');
    await expect(page).toHaveTitle('Verificación con foto');
    await page.getByRole('button', { name: 'Encender la cámara' }).click();
    await expect(heading).toHaveText('Mira a la cámara');
    await page.getByRole('button', { name: 'Usar esta foto' }).click();
    await expect(heading).toHaveText('Listo, gracias');
  });
});

test.describe('on a phone', () => {
  test.use({
    viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2,
    userAgent: 'Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Mobile Safari/537.36',
  });

  test('the shutter is reached without scrolling, and the service learns that it is a phone', async ({ page, service }) => {
    const session = await service.session();
    const person = new Person(page);
    await page.goto(session.url);
    await person.button('Start the camera').tap();
    await expect(person.button('Take the photo')).toBeInViewport({ ratio: 1 });
    expect(await person.button('Take the photo').evaluate((button) => button.getBoundingClientRect().height)).toBeGreaterThanOrEqual(44);
    await person.isPhotographed();
    await expect(person.button('Use this photo')).toBeInViewport({ ratio: 1 });
    await person.button('Use this photo').tap();
    await person.sees('Done, thank you');
    expect((await service.outcome(session.id)).attempts).toEqual([expect.objectContaining({ os: 'ANDROID' })]);
  });

  test('right to left, everything stays in the page', async ({ page, service, show }) => {
    await show('nobody');
    const person = new Person(page);
    // No language that is written so is there yet: its direction is put where the component would put it.
    const turn = () => page.locator('lifesign-capture [part=main]').evaluate((main) => { main.dir = 'rtl'; });
    const wide = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

    await page.goto((await service.session()).url);
    await person.sees('Take a photo of your face');
    await turn();
    expect(await wide()).toBeLessThanOrEqual(0);
    await person.startsCamera();
    await turn();
    expect(await wide()).toBeLessThanOrEqual(0);
    const boxes = await page.evaluate(() => ['stage', 'oval'].map((part) => {
      const { left, right } = document.querySelector('lifesign-capture').shadowRoot.querySelector(`[part=${part}]`).getBoundingClientRect();
      return (left + right) / 2;
    }));
    expect(boxes[1], 'the oval is in the middle of the picture').toBeCloseTo(boxes[0], 0);
  });
});
