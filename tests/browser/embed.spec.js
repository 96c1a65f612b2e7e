// The component in a page of the integrator's own, on another origin.
import { Person } from './lib/person.js';
import { startService, startSite } from './lib/service.js';
import { expect, test } from './lib/test.js';

let shop;
let service;
let html;
let policy;
test.beforeAll(async () => {
  shop = await startSite((request, response) => {
    if (policy) response.setHeader('Content-Security-Policy', policy);
    return html;
  });
  service = await startService('--capture-origins', shop.url);
});
test.afterAll(async () => {
  await service.stop();
  shop.stop();
});
test.beforeEach(({ watch }) => {
  watch.origins.push(service.url, shop.url);
  policy = null;
});

const embedded = (base, { id, browserToken }) => `<!doctype html><html lang="en"><title>Shop</title><link rel="icon" href="data:,">
  <script type="module" src="${base}/assets/lifesign-capture.js"></script>
  <lifesign-capture base="${base}" session="${id}"></lifesign-capture>
  <script type="module" nonce="once">
    const capture = document.querySelector('lifesign-capture');
    capture.token = ${JSON.stringify(browserToken)};
    capture.addEventListener('lifesign-finish', ({ detail }) => { document.title = JSON.stringify(detail); });
  </script>`;
const framed = (url, allow) => `<!doctype html><html lang="en"><title>Shop</title><link rel="icon" href="data:,"><iframe src="${url}" allow="${allow}" title="Photo" width="600" height="700"></iframe>`;

test('the component does its work in a page of an origin that the operator named', async ({ page }) => {
  const session = await service.session();
  html = embedded(service.url, session);
  // What docs/integrate.md says is needed, and nothing else but the page's own script.
  policy = `default-src 'none'; script-src ${service.url} 'nonce-once'; connect-src ${service.url}; img-src blob: data:`;
  await page.goto(shop.url);
  const person = new Person(page);
  await person.startsCamera();
  await person.isPhotographed();
  await person.sends();
  await person.sees('Done, thank you');
  await expect(page).toHaveTitle(JSON.stringify({ session: session.id, passed: true }));
  expect(await service.outcome(session.id)).toMatchObject({ passed: true });
});

test('in a page of any other origin it gets no answer', async ({ page, watch }) => {
  watch.expected.push(/blocked by CORS policy/, /net::ERR_FAILED/);
  html = embedded(service.url, await service.session());
  const elsewhere = shop.url.replace('localhost', '127.0.0.1');
  watch.origins.push(elsewhere);
  await page.goto(elsewhere);
  await new Person(page).sees('No connection');
});

test('the page works in a frame that passes the camera on, and says so where it does not', async ({ page, watch }) => {
  watch.expected.push(/camera is not allowed in this document/, /blocked because of a permissions policy/);
  const session = await service.session();
  html = framed(session.url, 'camera');
  await page.goto(shop.url);
  const person = new Person(page.frameLocator('iframe'));
  await person.startsCamera();
  await person.isPhotographed();
  await person.sends();
  await person.sees('Done, thank you');

  html = framed((await service.session()).url, '');
  await page.reload();
  await person.button('Start the camera').click();
  await person.sees('This page may not use the camera');
});

test('nobody else may frame the page', async ({ page, watch }) => {
  watch.expected.push(/frame-ancestors|Framing/);
  html = framed((await service.session()).url, 'camera');
  const elsewhere = shop.url.replace('localhost', '127.0.0.1');
  watch.origins.push(elsewhere);
  const refused = page.waitForEvent('console', (message) => message.type() === 'error');
  await page.goto(elsewhere);
  await refused;
  expect(page.frames().filter((frame) => frame.url().startsWith(service.url))).toEqual([]);
});
