// The operator's page.
import path from 'node:path';
import { IMAGES } from './lib/paths.js';
import { Person } from './lib/person.js';
import { still } from './lib/pictures.js';
import { startService } from './lib/service.js';
import { expect, status, test } from './lib/test.js';

async function tries(page, file) {
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.getByRole('button', { name: /^(Choose a photo|Try another photo)$/ }).click()]);
  await chooser.setFiles(file);
}

test('it says that the service is ready, what it is, and how a session is made', async ({ page, service, request }) => {
  const { version, models } = await (await request.get(`${service.url}/version`)).json();
  await page.goto(service.url);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Lifesign');
  await expect(page.getByText('Ready', { exact: true })).toBeVisible();
  await expect(page.locator('#build')).toContainText(version);
  for (const { files } of models) for (const { sha256 } of files) await expect(page.getByTitle(sha256)).toHaveText(new RegExp(`^${sha256.slice(0, 8)}`));
  await expect(page.locator('#command')).toContainText(`${service.url}/v1/capture-sessions`);
  await expect(page.getByRole('link', { name: 'API to browse and try' })).toBeVisible();
  await page.getByRole('link', { name: 'API to browse and try' }).click();
  await expect(page).toHaveURL(/\/docs\/?$/);
});

test('a photograph is judged: score, decision, figures, and the box around the face', async ({ page, service }) => {
  await page.goto(service.url);
  await tries(page, path.join(IMAGES, 'live_portrait.jpg'));
  await expect(page.getByRole('heading', { name: 'Live', exact: true })).toBeVisible();
  await expect(page.getByText(/^0\.9\d{3}$/)).toBeVisible();
  await expect(page.getByRole('meter', { name: 'Liveness score' })).toBeVisible();
  await expect(page.getByText('passes above 0.6')).toBeVisible();
  expect(await page.getByRole('row').filter({ hasText: /\d/ }).count()).toBeGreaterThanOrEqual(5);

  const place = await page.evaluate(() => {
    const image = document.querySelector('#try img');
    const [whole, box] = [image, document.querySelector('#try .box')].map((element) => element.getBoundingClientRect());
    const scale = image.naturalWidth / whole.width;
    return { x: (box.x - whole.x) * scale, y: (box.y - whole.y) * scale, width: box.width * scale, height: box.height * scale };
  });
  // As `lifesign check --json` finds it, to a pixel or two of border.
  for (const [side, pixels] of Object.entries({ x: 182.8, y: 63.7, width: 88.9, height: 115.6 })) expect(Math.abs(place[side] - pixels), side).toBeLessThan(6);
});

test('a face on a display is called a spoof, and what cannot be judged is said in words', async ({ page, service, watch }) => {
  watch.expected.push(status(422));
  await page.goto(service.url);
  await tries(page, still('spoof'));
  await expect(page.getByRole('heading', { name: 'Spoof', exact: true })).toBeVisible();
  await expect(page.getByText('It does not pass')).toBeVisible();
  await tries(page, still('nobody'));
  await expect(page.getByText(/^No face was found\./)).toBeVisible();
});

test('a photograph of the camera is judged', async ({ page, service }) => {
  await page.goto(service.url);
  await page.getByRole('button', { name: 'Use the camera' }).click();
  await new Person(page).seesThemselves();
  await page.getByRole('button', { name: 'Take the photo' }).click();
  await expect(page.getByRole('heading', { name: 'Live', exact: true })).toBeVisible();
});

test('where the operator switched it off, no photograph can be tried, and the API’s page is not offered', async ({ page, request, watch }) => {
  watch.expected.push(status(404));
  const service = await startService('--try-it', 'false', '--api-page', 'false');
  watch.origins.push(service.url);
  await page.goto(service.url);
  await expect(page.getByText('Ready', { exact: true })).toBeVisible();
  await expect(page.locator('#try')).toContainText('works on the machine that the service runs on');
  await expect(page.getByRole('button', { name: 'Choose a photo' })).toHaveCount(0);
  await expect(page.getByRole('link', { name: 'API to browse and try' })).toBeHidden();
  const answer = await request.post(`${service.url}/try`, { headers: { 'Lifesign-Try': '1', 'Content-Type': 'image/jpeg' }, data: Buffer.from('x') });
  expect(answer.status()).toBe(404);
  await service.stop();
});
