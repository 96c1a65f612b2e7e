import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Client, deviceOs, type PhotoOutcome, retryAfter } from '../src/client.ts';

const SESSION = { status: 'open', passed: null, nonce: 'n', uploadsLeft: 2, expiresAt: '2030-01-01T00:00:00Z', secondsLeft: 800, returnUrl: null, photosKept: false };
const client = new Client('https://lifesign.example/', 'abc', 'token');

function reply(status: number, body: unknown = {}, headers: Record<string, string> = {}) {
  return new Response(JSON.stringify(body), { status, headers });
}

let fetched: ReturnType<typeof vi.fn>;
beforeEach(() => {
  fetched = vi.fn();
  vi.stubGlobal('fetch', fetched);
});
afterEach(() => { vi.unstubAllGlobals(); });

describe('the session', () => {
  it('is asked for with the token, and without cookies', async () => {
    fetched.mockResolvedValue(reply(200, { data: SESSION }));
    expect(await client.load()).toEqual({ kind: 'session', session: SESSION });
    const [address, init] = fetched.mock.lastCall as [string, RequestInit];
    expect(address).toBe('https://lifesign.example/v1/capture-sessions/abc/capture');
    expect(init).toMatchObject({ headers: { Authorization: 'Bearer token' }, credentials: 'omit', cache: 'no-store' });
  });

  it.each([
    [401, {}, { kind: 'denied' }],
    [408, {}, { kind: 'offline' }],
    [429, { 'Retry-After': '7' }, { kind: 'busy', after: 7 }],
    [503, {}, { kind: 'busy', after: null }],
    [500, {}, { kind: 'fault', status: 500 }],
  ])('answers %i', async (status, headers, outcome) => {
    fetched.mockResolvedValue(reply(status, {}, headers as Record<string, string>));
    expect(await client.load()).toEqual(outcome);
  });

  it('is out of reach, or speaks something else', async () => {
    fetched.mockRejectedValue(new TypeError('network'));
    expect(await client.load()).toEqual({ kind: 'offline' });
    fetched.mockResolvedValue(new Response('<html>', { status: 200 }));
    expect(await client.load()).toEqual({ kind: 'fault', status: 200 });
  });

  it('is of this service where no base is given', async () => {
    fetched.mockResolvedValue(reply(200, { data: SESSION }));
    await new Client('', 'a/b', 'token').load();
    expect(fetched.mock.lastCall?.[0]).toBe('/v1/capture-sessions/a%2Fb/capture');
  });
});

describe('a frame', () => {
  const frame = new Blob(['x'], { type: 'image/jpeg' });

  it('is sent as it is', async () => {
    fetched.mockResolvedValue(reply(200, { data: { faces: 0, face: null, quality: null } }));
    expect(await client.frame(frame)).toEqual({ kind: 'seen', faces: 0, face: null, quality: null });
    const [address, init] = fetched.mock.lastCall as [string, RequestInit];
    expect(address).toMatch(/\/frame$/);
    expect(init).toMatchObject({ method: 'POST', headers: { 'Content-Type': 'image/jpeg', Authorization: 'Bearer token' }, body: frame });
  });

  it('comes too late', async () => {
    fetched.mockResolvedValue(reply(410));
    expect(await client.frame(frame)).toEqual({ kind: 'over' });
  });

  it('is given up after a while', async () => {
    vi.useFakeTimers();
    fetched.mockImplementation((_: string, { signal }: RequestInit) => new Promise((_done, fail) => signal?.addEventListener('abort', () => fail(new Error('aborted')))));
    const outcome = client.frame(frame);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await outcome).toEqual({ kind: 'offline' });
    vi.useRealTimers();
  });
});

/** A request that answers as it is told, in place of XMLHttpRequest. */
class Request {
  static answer: { status: number; body?: unknown; headers?: Record<string, string> } = { status: 0 };
  static last: Request;
  method = '';
  address = '';
  headers: Record<string, string> = {};
  sent: unknown;
  aborted = false;
  responseType = '';
  status = 0;
  response: unknown = null;
  upload: { onprogress: ((event: { lengthComputable: boolean; loaded: number; total: number }) => void) | null } = { onprogress: null };
  onloadend: () => void = () => {};

  constructor() { Request.last = this; }
  open(method: string, address: string) { Object.assign(this, { method, address }); }
  setRequestHeader(name: string, value: string) { this.headers[name] = value; }
  getResponseHeader(name: string) { return Request.answer.headers?.[name] ?? null; }
  abort() { this.aborted = true; this.onloadend(); }
  send(body: unknown) {
    this.sent = body;
    if (Request.answer.status < 0) return;
    this.upload.onprogress?.({ lengthComputable: true, loaded: 1, total: 2 });
    this.status = Request.answer.status;
    this.response = Request.answer.body ?? null;
    this.onloadend();
  }
}

describe('the photograph', () => {
  const photo = new Blob(['photo'], { type: 'image/png' });
  const progress = vi.fn();
  beforeEach(() => {
    progress.mockClear();
    vi.stubGlobal('XMLHttpRequest', Request);
    fetched.mockImplementation(async () => reply(200, { data: SESSION }));
  });
  const send = (answer: typeof Request.answer): Promise<PhotoOutcome> => {
    Request.answer = answer;
    return client.photo(photo, 'the-nonce', progress);
  };

  it('goes to the session with the token and the nonce, and says how far it is', async () => {
    expect(await send({ status: 200, body: { data: { passed: true, status: 'finished', uploadsLeft: 2, returnUrl: null } } })).toMatchObject({ kind: 'judged', passed: true, status: 'finished' });
    expect(Request.last).toMatchObject({
      method: 'POST', address: 'https://lifesign.example/v1/capture-sessions/abc/photo?os=DESKTOP', sent: photo,
      headers: { Authorization: 'Bearer token', 'Content-Type': 'image/png', 'Lifesign-Nonce': 'the-nonce' },
    });
    expect(progress).toHaveBeenCalledWith(0.5);
  });

  it.each<[{ status: number; body?: unknown; headers?: Record<string, string> }, unknown]>([
    [{ status: 422, body: { failureReason: 'face_too_far' } }, { kind: 'unclear', reason: 'face_too_far', session: SESSION }],
    [{ status: 422 }, { kind: 'unclear', reason: '', session: SESSION }],
    [{ status: 410, body: { message: 'session_expired' } }, { kind: 'over', expired: true, session: SESSION }],
    [{ status: 410, body: { message: 'session_finished' } }, { kind: 'over', expired: false, session: SESSION }],
    [{ status: 413 }, { kind: 'too-large' }],
    [{ status: 429, headers: { 'Retry-After': '3' } }, { kind: 'busy', after: 3 }],
    [{ status: 503 }, { kind: 'busy', after: null }],
    [{ status: 401 }, { kind: 'denied' }],
    [{ status: 408 }, { kind: 'offline' }],
    [{ status: 409 }, { kind: 'fault', status: 409 }],
    [{ status: 500 }, { kind: 'fault', status: 500 }],
    [{ status: 200, body: null }, { kind: 'fault', status: 200 }],
    [{ status: 0 }, { kind: 'offline' }],
  ])('%j', async (answer, outcome) => {
    expect(await send(answer)).toEqual(outcome);
  });

  it('is still answered for where the session cannot be asked afterwards', async () => {
    fetched.mockRejectedValue(new TypeError('network'));
    expect(await send({ status: 422, body: { failureReason: 'invalid_image' } })).toEqual({ kind: 'unclear', reason: 'invalid_image', session: null });
  });

  it('is called back', async () => {
    Request.answer = { status: -1 };
    const stop = new AbortController();
    const outcome = client.photo(photo, 'n', progress, stop.signal);
    stop.abort();
    expect(await outcome).toEqual({ kind: 'offline' });
    expect(Request.last.aborted).toBe(true);
  });
});

it('reads Retry-After as seconds or as a date', () => {
  const now = Date.parse('2026-11-25T10:00:00Z');
  expect(retryAfter('5')).toBe(5);
  expect(retryAfter('Wed, 25 Nov 2026 10:00:30 GMT', now)).toBe(30);
  expect(retryAfter('Wed, 25 Nov 2026 09:00:00 GMT', now)).toBe(0);
  expect(retryAfter(null)).toBe(null);
  expect(retryAfter('soon')).toBe(null);
});

it('knows the kind of device', () => {
  expect(deviceOs('Mozilla/5.0 (Linux; Android 15; Pixel 9)', 5)).toBe('ANDROID');
  expect(deviceOs('Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)', 5)).toBe('IOS');
  expect(deviceOs('Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)', 5)).toBe('IOS');
  expect(deviceOs('Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)', 0)).toBe('DESKTOP');
  expect(deviceOs('Mozilla/5.0 (Windows NT 10.0; Win64; x64)', 10)).toBe('DESKTOP');
});
