// The real service, on a port and a data folder of its own.
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { LIFESIGN, TARGET } from './paths.js';

/** Starts the service with more flags, and speaks with it as an integrator's back end does. */
export async function startService(...flags) {
  await mkdir(TARGET, { recursive: true });
  const home = await mkdtemp(path.join(TARGET, 'service-'));
  const child = spawn(LIFESIGN, ['serve', '--listen', '127.0.0.1:0', '--data-dir', path.join(home, 'data'), ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  // Also where a test forgets it, or its worker is ended.
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.stderr.pipe(createWriteStream(path.join(home, 'log')));
  const { url, token } = await new Promise((done, fail) => {
    let told = '';
    child.stdout.on('data', (text) => {
      told += text;
      const url = /listens on (http:\S+)/.exec(told)?.[1];
      const token = /Bearer ([\w.-]+)/.exec(told)?.[1];
      if (url && token) done({ url, token });
    });
    child.on('error', fail);
    child.on('exit', (code) => fail(new Error(`${LIFESIGN} ended with ${code}; its log is in ${home}`)));
  });

  const call = async (method, route, body, address = url) => {
    const answer = await fetch(address + route, {
      method,
      headers: { Authorization: `Bearer ${token}`, ...(body && { 'Content-Type': 'application/json' }) },
      body: body && JSON.stringify(body),
    });
    const said = await answer.json();
    if (!answer.ok) throw new Error(`${method} ${route}: ${answer.status} ${JSON.stringify(said)}`);
    return said.data;
  };
  return {
    url,
    token,
    /** Makes a capture session; `address` is where the browser is to reach the service. */
    session: (fields = {}, address = url) => call('POST', '/v1/capture-sessions', fields, address),
    /** What the back end learns of a session. */
    outcome: (id) => call('GET', `/v1/capture-sessions/${id}`),
    /** Holds so many bytes of the memory for request bodies; ends with the function that it returns. */
    async hold(bytes) {
      const { hostname, port } = new URL(url);
      const socket = net.connect(Number(port), hostname);
      socket.write(`POST /v2/face-recognition/liveness HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${token}\r\n`
        + `Content-Type: application/json\r\nContent-Length: ${bytes + 1}\r\n\r\n`);
      await new Promise((done) => { socket.write(Buffer.alloc(bytes, 0x20), done); });
      return () => socket.destroy();
    },
    async stop() {
      child.removeAllListeners('exit');
      const ended = new Promise((done) => { child.once('exit', done); });
      child.kill('SIGTERM');
      await ended;
      process.off('exit', kill);
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** A server of somebody else's, such as the integrator's site. It remembers what it was asked. */
export async function startSite(answer) {
  const asked = [];
  const server = http.createServer((request, response) => {
    asked.push({ url: request.url, headers: request.headers });
    response.setHeader('Content-Type', 'text/html; charset=utf-8');
    response.end(answer(request, response));
  });
  const port = await listen(server);
  return { url: `http://localhost:${port}`, asked, stop: () => close(server) };
}

/** Passes bytes on to the service. It keeps those that browsers send, and holds answers back when it is told to. */
export async function startTap(service) {
  const { hostname, port } = new URL(service.url);
  let sent = [];
  let held = null;
  const server = net.createServer((browser) => {
    const upstream = net.connect(Number(port), hostname);
    browser.on('data', (bytes) => sent.push(bytes));
    browser.pipe(upstream);
    upstream.on('data', (bytes) => { if (held) held.push(() => browser.write(bytes)); else browser.write(bytes); });
    upstream.on('close', () => browser.destroy());
    for (const socket of [browser, upstream]) socket.on('error', () => { browser.destroy(); upstream.destroy(); });
    browser.on('close', () => upstream.destroy());
  });
  return {
    url: `http://127.0.0.1:${await listen(server)}`,
    sent: () => Buffer.concat(sent).toString('latin1'),
    forget() { sent = []; },
    hold() { held ??= []; },
    release() {
      const answers = held ?? [];
      held = null;
      for (const answer of answers) answer();
    },
    stop: () => close(server),
  };
}

function listen(server) {
  return new Promise((done) => { server.listen(0, '127.0.0.1', () => done(server.address().port)); });
}

function close(server) {
  server.closeAllConnections?.();
  // A browser may keep a connection for as long as it runs, so that the end of all of them is not waited for.
  server.close();
}
