// The examples of docs/integrate.md, as an integrator runs them.
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { ROOT } from './lib/paths.js';
import { Person } from './lib/person.js';
import { expect, test } from './lib/test.js';

const EXAMPLES = { Node: [process.execPath, 'server.mjs'], Python: ['python3', 'server.py'] };

async function freePort() {
  const server = net.createServer();
  await new Promise((done) => { server.listen(0, '127.0.0.1', done); });
  const { port } = server.address();
  await new Promise((done) => { server.close(done); });
  return port;
}

test('the guide quotes the example as it is', () => {
  const [guide, example] = ['docs/integrate.md', 'examples/signup/server.mjs'].map((file) => readFileSync(path.join(ROOT, file), 'utf8'));
  const quoted = [...guide.matchAll(/^```js\n(.*?)^```$/gms)].flatMap(([, lines]) => lines.trim().split('\n'));
  expect(quoted.length).toBeGreaterThan(2);
  for (const line of quoted) expect(example).toContain(line);
});

for (const [language, [program, file]] of Object.entries(EXAMPLES)) {
  test.describe(`the sign-up page in ${language}`, () => {
    test.skip(process.env.CI !== 'true' && spawnSync(program, ['--version']).status !== 0, `there is no ${language}`);
    let shop;
    let url;
    test.beforeAll(async ({ service }) => {
      const port = await freePort();
      url = `http://localhost:${port}`;
      shop = spawn(program, [path.join(ROOT, 'examples/signup', file)], {
        env: { PATH: process.env.PATH, LIFESIGN_URL: service.url, LIFESIGN_TOKEN: service.token, PORT: String(port) }, stdio: ['ignore', 'pipe', 'ignore'],
      });
      await new Promise((done, fail) => {
        shop.stdout.once('data', done);
        shop.once('exit', (code) => fail(new Error(`${file} ended with ${code}`)));
      });
    });
    test.afterAll(() => {
      shop.removeAllListeners('exit');
      shop.kill();
    });
    test.beforeEach(({ watch }) => { watch.origins.push(url); });

    async function signsUp(page) {
      await page.goto(url);
      await page.getByLabel('E-mail').fill('ada@example.org');
      await page.getByRole('button', { name: 'Sign up' }).click();
      const person = new Person(page);
      await person.startsCamera();
      return person;
    }

    test('makes an account for a live person, once', async ({ page, watch }) => {
      const person = await signsUp(page);
      await person.isPhotographed();
      await person.sends();
      await expect(page.getByText('Your account was created.')).toBeVisible();
      watch.expected.push(/status of 400/);
      await page.reload();
      await expect(page.getByText('Please begin at the start.')).toBeVisible();
    });

    test('makes none for a face on a display', async ({ page, show, watch }) => {
      watch.expected.push(/status of 403/);
      await show('spoof');
      const person = await signsUp(page);
      for (const left of [2, 1]) {
        await person.releasesShutter();
        await person.sends();
        await expect(page.getByText(`Photos left: ${left}`)).toBeVisible();
        await person.button('Try again').click();
      }
      await person.releasesShutter();
      await person.sends();
      await expect(page.getByText('Your account was not created')).toBeVisible();
    });

    test('believes neither the address nor a session that is not done', async ({ page, context, service, watch }) => {
      watch.expected.push(/status of (400|409)/);
      const passed = await service.session();
      await page.goto(passed.url);
      const person = new Person(page);
      await person.startsCamera();
      await person.isPhotographed();
      await person.sends();
      await person.sees('Done, thank you');

      // Somebody's session passed, but it is not the one of this visitor.
      await page.goto(`${url}/done?capture_session=${passed.id}`);
      await expect(page.getByText('Please begin at the start.')).toBeVisible();
      const other = await context.newPage();
      await signsUp(other);
      await page.goto(`${url}/done?capture_session=${passed.id}`);
      await expect(page.getByText('The photo has not been taken yet.')).toBeVisible();
    });
  });
}
