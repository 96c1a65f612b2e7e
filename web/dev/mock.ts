import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Plugin } from 'vite';

/**
 * A service that only pretends, for `npm run dev` and `npm run preview`. The session's name says what becomes of it:
 * /capture/pass, /capture/spoof, /capture/busy, /capture/slow, /capture/<failureReason>, … with any fragment as the token.
 */
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob: mediastream:; connect-src 'self'; "
  + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
const REASONS = ['invalid_image', 'no_face_detected', 'multiple_faces_detected', 'face_too_far', 'face_close_to_border', 'face_rotation_too_large'];
const QUALITY = { face_width: 130, face_height: 170, eye_distance: 60, yaw: -3, pitch: 4, sharpness: 61, brightness: 0.52 };

interface Kept { status: string; passed: boolean | null; uploadsLeft: number; asked: number }

export function mock(): Plugin {
  const sessions = new Map<string, Kept>();

  const answer = (response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}) => {
    response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };
  const refuse = (response: ServerResponse, status: number, code: string, message: string, headers?: Record<string, string>) => answer(response, status, { code, message }, headers);
  const unclear = (response: ServerResponse, failureReason: string) => answer(response, 422, { code: 'ERR', message: 'cannot be judged', failureKind: 'quality', failureReason });

  async function handle(request: IncomingMessage, response: ServerResponse, page: boolean): Promise<boolean> {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const bytes: Buffer[] = [];
    const call = /^\/v1\/capture-sessions\/([^/]+)\/(capture|frame|photo)$/.exec(pathname);
    if (call || pathname === '/try') for await (const chunk of request) bytes.push(chunk as Buffer);
    const length = bytes.reduce((sum, chunk) => sum + chunk.length, 0);

    if (call) {
      const [, id, what] = call as unknown as [string, string, string];
      const kept = sessions.get(id) ?? { status: id === 'expired' ? 'expired' : id === 'finished' ? 'finished' : 'open', passed: id === 'finished' ? true : null, uploadsLeft: 3, asked: 0 };
      sessions.set(id, kept);
      kept.asked++;
      const data = { ...kept, nonce: '0'.repeat(32), expiresAt: '2030-01-01T00:00:00Z', secondsLeft: id === 'short' ? 5 : 812, returnUrl: id.includes('return') ? 'https://example.com/back?a=1' : null, photosKept: id.includes('kept') };
      if (!request.headers.authorization?.startsWith('Bearer ') || request.headers.authorization === 'Bearer bad') refuse(response, 401, 'UNAUTHORIZED', 'no such session');
      else if (what === 'capture') {
        if (id === 'busy-load' && kept.asked < 3) refuse(response, 503, 'ServiceUnavailable', 'busy', { 'Retry-After': '3' });
        else answer(response, 200, { data });
      } else if (kept.status !== 'open') refuse(response, 410, 'Gone', `session_${kept.status}`);
      else if (what === 'frame') {
        const good = { faces: 1, face: { x: 70, y: 80, width: 100, height: 140 }, quality: QUALITY };
        if (id === 'busy-frames') refuse(response, 429, 'TooManyRequests', 'too often', { 'Retry-After': '2' });
        else if (id === 'far') answer(response, 200, { data: { ...good, face: { x: 100, y: 140, width: 40, height: 50 } } });
        else if (id === 'two') answer(response, 200, { data: { ...good, faces: 2 } });
        else if (id === 'none' || id.startsWith('manual')) answer(response, 200, { data: { faces: 0, face: null, quality: null } });
        else answer(response, 200, { data: good });
      } else {
        if (length === 0 || request.headers['lifesign-nonce'] !== data.nonce) return refuse(response, 409, 'Conflict', 'wrong nonce'), true;
        if (id.includes('slow')) await new Promise((done) => setTimeout(done, 4000));
        if (id.includes('busy')) return refuse(response, 503, 'ServiceUnavailable', 'busy', { 'Retry-After': '5' }), true;
        if (id.includes('large') && length > 200_000) return refuse(response, 413, 'PayloadTooLarge', 'too large'), true;
        if (id.includes('cut')) return request.socket.destroy(), true;
        kept.uploadsLeft--;
        const reason = REASONS.find((one) => id.includes(one));
        const passed = !reason && !id.includes('spoof');
        if (passed || kept.uploadsLeft === 0) Object.assign(kept, { status: 'finished', passed });
        if (reason) unclear(response, reason);
        else answer(response, 200, { data: { passed, status: kept.status, uploadsLeft: kept.uploadsLeft, returnUrl: data.returnUrl } });
      }
      return true;
    }
    switch (pathname) {
      case '/try':
        if (request.method === 'GET') answer(response, 200, { data: { enabled: process.env.TRY !== 'off' } });
        else if (length < 8_000) unclear(response, 'no_face_detected');
        else answer(response, 200, { data: { passed: true, min_score: 0.6, liveness_score: 0.9968, decision: 'live', quality: QUALITY, face: { x: 130, y: 110, width: 130, height: 170 } } });
        return true;
      case '/healthz': return answer(response, 200, { status: 'ok' }), true;
      case '/readyz': return answer(response, 200, { status: 'ready' }), true;
      case '/docs': case '/openapi.json': return answer(response, 200, {}), true;
      case '/version':
        answer(response, 200, {
          name: 'lifesign', version: '0.1.0', build: '09c59a0', models: [
            { name: 'detector', version: '1', files: [{ name: 'centerface.onnx', sha256: 'a3'.repeat(32) }] },
            { name: 'pad', version: '2026-11-24', files: [{ name: 'near.onnx', sha256: '7c'.repeat(32) }, { name: 'wide.onnx', sha256: 'e1'.repeat(32) }] },
          ],
        });
        return true;
    }
    if (pathname.startsWith('/capture/')) request.url = '/capture.html';
    else if (pathname === '/') request.url = '/welcome.html';
    if (page && request.url?.endsWith('.html')) {
      response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': POLICY });
      response.end(readFileSync(new URL(`../../crates/lifesign-server/pages${request.url}`, import.meta.url)));
      return true;
    }
    return false;
  }

  const use = (page: boolean) => (server: { middlewares: { use(handler: (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void): void } }) => {
    server.middlewares.use((request, response, next) => { handle(request, response, page).then((done) => { if (!done) next(); }, next); });
  };
  return { name: 'mock', configureServer: use(false), configurePreviewServer: use(true) };
}
