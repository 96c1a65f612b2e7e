import { Person } from './lib/person.js';
import { startSite, startTap } from './lib/service.js';
import { expect, test } from './lib/test.js';

/** Everything that a script of the page could read, as text. */
async function withinReach(page) {
  return page.evaluate(async () => {
    const parts = [location.href, document.referrer, document.cookie, JSON.stringify(history.state), name];
    const walk = (root) => {
      parts.push(root.documentElement?.outerHTML ?? root.innerHTML);
      for (const element of root.querySelectorAll('*')) if (element.shadowRoot) walk(element.shadowRoot);
    };
    walk(document);
    for (const store of [localStorage, sessionStorage]) parts.push(JSON.stringify({ ...store }));
    // The browser's own record of how the page was come to has the fragment; no script can change it.
    for (const entry of performance.getEntries()) if (entry.entryType !== 'navigation') parts.push(entry.name);
    parts.push(JSON.stringify([await indexedDB.databases(), await caches.keys(), (await navigator.serviceWorker.getRegistrations()).length]));
    // What scripts left in the window, and what the component tells.
    const fresh = document.createElement('iframe');
    document.body.append(fresh);
    const usual = new Set(Object.getOwnPropertyNames(fresh.contentWindow));
    fresh.remove();
    for (const key of Object.getOwnPropertyNames(window)) if (!usual.has(key) && !/^\d+$/.test(key)) parts.push(`${key}: ${String(window[key])}`);
    const capture = document.querySelector('lifesign-capture');
    for (let type = capture; type && type !== HTMLElement.prototype; type = Object.getPrototypeOf(type)) {
      for (const key of Object.getOwnPropertyNames(type)) if (key !== 'token') parts.push(`${key}: ${String(capture[key])}`);
    }
    return { text: parts.join('\n'), local: { ...localStorage }, session: { ...sessionStorage }, cookies: document.cookie };
  });
}

test('the API token never comes near the browser, and the session’s own stays where it belongs', async ({ page, context, service, watch }) => {
  const shop = await startSite(() => '<!doctype html><title>Shop</title>');
  const tap = await startTap(service);
  watch.origins.push(shop.url, tap.url);
  const session = await service.session({ return_url: `${shop.url}/back` }, tap.url);
  expect(session.url, 'the page is where the request for the session went').toBe(`${tap.url}/capture/${session.id}#${session.browserToken}`);
  tap.forget();
  const person = new Person(page);

  await page.goto(session.url);
  await person.sees('Take a photo of your face');
  expect(page.url(), 'the token left the address bar').toBe(`${tap.url}/capture/${session.id}`);
  await person.startsCamera();
  await person.isPhotographed();
  await person.sends();
  await person.sees('Done, thank you');

  const reach = await withinReach(page);
  expect(reach.text).not.toContain(service.token);
  expect(reach.cookies).toBe('');
  expect(reach.local).toEqual({});
  const kept = Object.values(reach.session).filter((value) => value.includes(session.browserToken));
  expect(kept, 'kept for a reload').toHaveLength(1);
  expect(reach.text.split(session.browserToken), 'and nowhere else').toHaveLength(2);
  await page.waitForURL(`${shop.url}/back?capture_session=${session.id}`);
  expect(await context.cookies()).toEqual([]);

  // The bytes that reached the service, as they were.
  const sent = tap.sent();
  expect(sent).not.toContain(service.token);
  const lines = sent.split('\r\n').filter((line) => line.includes(session.browserToken));
  expect(lines.length).toBeGreaterThan(3);
  expect(new Set(lines.map((line) => line.toLowerCase()))).toEqual(new Set([`authorization: bearer ${session.browserToken}`.toLowerCase()]));
  // And what the browser asked anybody.
  for (const request of watch.requests) {
    const told = [request.url().replace(session.url, ''), ...(await request.headersArray()).filter(({ name }) => name.toLowerCase() !== 'authorization').map(({ value }) => value)].join('\n');
    expect(told).not.toContain(session.browserToken);
    expect(told).not.toContain(service.token);
  }
  expect(JSON.stringify(shop.asked)).not.toContain(session.browserToken);
  tap.stop();
  shop.stop();
});
