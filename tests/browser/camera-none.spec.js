import { Person } from './lib/person.js';
import { still } from './lib/pictures.js';
import { expect, test } from './lib/test.js';

test.use({ camera: 0 });

test('without any camera a file is offered at once, and passes', async ({ page, service }) => {
  const person = new Person(page);
  await page.goto((await service.session()).url);
  await expect(page.getByText('This device does not seem to have a camera.')).toBeVisible();
  await person.button('Start the camera').click();
  await person.sees('No camera was found');
  await person.uploads(still('live'));
  await person.sends();
  await person.sees('Done, thank you');
});
