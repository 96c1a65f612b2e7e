// A sign-up page with a liveness step, without any dependency: LIFESIGN_TOKEN=… node server.mjs
import { randomBytes } from 'node:crypto';
import http from 'node:http';

const LIFESIGN = process.env.LIFESIGN_URL ?? 'http://127.0.0.1:8080';
const TOKEN = process.env.LIFESIGN_TOKEN; // the API token stays here and never goes to a browser
const PORT = Number(process.env.PORT ?? 3000);
const SITE = process.env.SITE_URL ?? `http://localhost:${PORT}`; // where browsers reach this program
if (!TOKEN) throw new Error('LIFESIGN_TOKEN is not set');

// A real site has a database in place of these two.
const signups = new Map(); // the visitor's secret cookie -> what was asked for, and with which capture session
const accounts = new Map();

async function lifesign(method, path, body) {
  const answer = await fetch(LIFESIGN + path, {
    method,
    headers: { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`Lifesign answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()).data;
}

// What the receipt states. It came straight from the service; whoever gets it at second hand verifies its signature.
const stated = (receipt) => JSON.parse(Buffer.from(receipt.split('.')[1], 'base64url'));

async function signUp(request, response) {
  let form = '';
  for await (const part of request) if ((form += part).length > 10_000) return page(response, 413, 'Too much.');
  const email = new URLSearchParams(form).get('email');
  if (!email) return page(response, 400, 'An e-mail address is needed.');
  const capture = await lifesign('POST', '/v1/capture-sessions', { return_url: `${SITE}/done` });
  const cookie = randomBytes(32).toString('base64url');
  signups.set(cookie, { email, capture: capture.id, nonce: capture.nonce });
  const secure = SITE.startsWith('https:') ? '; Secure' : '';
  response.setHeader('Set-Cookie', `signup=${cookie}; HttpOnly; SameSite=Lax; Path=/; Max-Age=3600${secure}`);
  response.writeHead(303, { Location: capture.url }).end();
}

async function done(request, response) {
  // Which session it is, this visitor's own cookie says. The address may say anything: whoever comes can write there what they like.
  const cookie = /(?:^|; )signup=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1];
  const signup = signups.get(cookie);
  if (!signup) return page(response, 400, 'Please begin at the start.');
  const capture = await lifesign('GET', `/v1/capture-sessions/${signup.capture}`);
  if (capture.status === 'open') return page(response, 409, 'The photo has not been taken yet.');
  signups.delete(cookie); // one session is good for one account
  const receipt = capture.receipt ? stated(capture.receipt) : {};
  const live = capture.passed === true && receipt.passed === true
    && receipt.capture_session === signup.capture && receipt.nonce === signup.nonce;
  if (!live) return page(response, 403, 'Your account was not created: the photo check was not passed.');
  accounts.set(signup.email, { receipt: capture.receipt }); // the receipt shows later what was checked
  page(response, 200, 'Your account was created.');
}

function page(response, status, text) {
  const form = '<form method="post" action="/signup"><label>E-mail <input name="email" type="email" required></label> <button>Sign up</button></form>';
  response.writeHead(status, { 'Content-Type': 'text/html; charset=utf-8' });
  response.end(`<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"><title>Shop</title><h1>Shop</h1>${text ? `<p>${text}</p>` : form}`);
}

http.createServer((request, response) => {
  const { pathname } = new URL(request.url, SITE);
  const route = { 'GET /': () => page(response, 200), 'POST /signup': signUp, 'GET /done': done }[`${request.method} ${pathname}`];
  Promise.resolve((route ?? (() => page(response, 404, 'There is no such page.')))(request, response)).catch((error) => {
    console.error(error);
    page(response, 502, 'Something went wrong. Please try again.');
  });
}).listen(PORT, '127.0.0.1', () => console.log(`Shop at ${SITE}`));
