import { Person } from './lib/person.js';
import { expect, test } from './lib/test.js';

test.use({ camera: 2 });

test('of two cameras the person may choose the other one', async ({ page, service }) => {
  const person = new Person(page);
  const device = () => page.locator('video').evaluate((video) => video.srcObject?.getVideoTracks()[0]?.getSettings().deviceId);
  await page.goto((await service.session()).url);
  await person.startsCamera();
  const chooser = page.getByRole('combobox', { name: 'Camera' });
  const first = await device();
  const other = (await chooser.locator('option').evaluateAll((options) => options.map(({ value }) => value))).find((id) => id !== first);
  await chooser.selectOption(other);
  await expect.poll(async () => (await page.locator('video').count()) && device()).toBe(other);
  await expect(chooser).toHaveValue(other);
});
