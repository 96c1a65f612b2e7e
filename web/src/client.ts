import type { Seen } from './hints.ts';

/** A capture session as the browser may see it. */
export interface Session {
  status: 'open' | 'finished' | 'expired';
  passed: boolean | null;
  nonce: string;
  uploadsLeft: number;
  expiresAt: string;
  secondsLeft: number;
  returnUrl: string | null;
  /** The operator keeps photographs that were judged, encrypted. */
  photosKept: boolean;
}

/** What may become of any request. `after` is in seconds, null where the service did not say. */
export type Failure =
  | { kind: 'busy'; after: number | null }
  | { kind: 'offline' }
  | { kind: 'denied' }
  | { kind: 'fault'; status: number };

export type LoadOutcome = { kind: 'session'; session: Session } | Failure;
export type FrameOutcome = ({ kind: 'seen' } & Seen) | { kind: 'over' } | Failure;
/** The session beside `unclear` and `over` is asked for afterwards, and null where that failed. */
export type PhotoOutcome =
  | { kind: 'judged'; passed: boolean; status: 'open' | 'finished'; uploadsLeft: number }
  | { kind: 'unclear'; reason: string; session: Session | null }
  | { kind: 'over'; expired: boolean; session: Session | null }
  | { kind: 'too-large' }
  | Failure;

const FRAME_TIMEOUT = 5_000;
const LOAD_TIMEOUT = 15_000;
const PHOTO_TIMEOUT = 90_000;

/** Seconds of a Retry-After header, which is a number or a date. */
export function retryAfter(header: string | null, now = Date.now()): number | null {
  if (header === null || header.trim() === '') return null;
  const seconds = /^\s*\d+\s*$/.test(header) ? Number(header) : (Date.parse(header) - now) / 1000;
  return Number.isNaN(seconds) ? null : Math.max(0, Math.ceil(seconds));
}

/** The kind of device as the service calls it: it chooses the calibration. */
export function deviceOs(agent = navigator.userAgent, touchPoints = navigator.maxTouchPoints): 'ANDROID' | 'IOS' | 'DESKTOP' {
  if (/Android/i.test(agent)) return 'ANDROID';
  // An iPad says that it is a Mac, but no Mac has a touch screen.
  if (/iPhone|iPad|iPod/.test(agent) || (/Macintosh/.test(agent) && touchPoints > 1)) return 'IOS';
  return 'DESKTOP';
}

function failure(status: number, after: string | null): Failure {
  if (status === 429 || status === 503) return { kind: 'busy', after: retryAfter(after) };
  if (status === 401) return { kind: 'denied' };
  if (status === 408 || status === 0) return { kind: 'offline' };
  return { kind: 'fault', status };
}

/** Speaks with the service about one session. The photograph goes to `photo` and, small, to `frame`, and nowhere else. */
export class Client {
  #address: string;
  #token: string;

  constructor(base: string, session: string, token: string) {
    this.#address = `${base.replace(/\/+$/, '')}/v1/capture-sessions/${encodeURIComponent(session)}`;
    this.#token = token;
  }

  async load(signal?: AbortSignal): Promise<LoadOutcome> {
    const answer = await this.#fetch('/capture', {}, LOAD_TIMEOUT, signal);
    if ('kind' in answer) return answer;
    const data = await body<Session>(answer);
    return data ? { kind: 'session', session: data } : { kind: 'fault', status: answer.status };
  }

  async frame(frame: Blob, signal?: AbortSignal): Promise<FrameOutcome> {
    const answer = await this.#fetch('/frame', { method: 'POST', headers: { 'Content-Type': 'image/jpeg' }, body: frame }, FRAME_TIMEOUT, signal);
    if ('kind' in answer) return answer.kind === 'fault' && answer.status === 410 ? { kind: 'over' } : answer;
    const data = await body<Seen>(answer);
    return data ? { kind: 'seen', ...data } : { kind: 'fault', status: answer.status };
  }

  /** Sends the photograph; `progress` is told the part of it that is sent. */
  async photo(photo: Blob, nonce: string, progress: (part: number) => void, signal?: AbortSignal): Promise<PhotoOutcome> {
    const answer = await this.#send(photo, nonce, progress, signal);
    switch (answer.status) {
      case 200: {
        const data = (answer.body as { data?: { passed: boolean; status: 'open' | 'finished'; uploadsLeft: number } } | null)?.data;
        return data ? { kind: 'judged', ...data } : { kind: 'fault', status: 200 };
      }
      case 422:
        return { kind: 'unclear', reason: String((answer.body as { failureReason?: string } | null)?.failureReason ?? ''), session: await this.#now(signal) };
      case 410:
        return { kind: 'over', expired: (answer.body as { message?: string } | null)?.message === 'session_expired', session: await this.#now(signal) };
      case 413:
        return { kind: 'too-large' };
      default:
        return failure(answer.status, answer.after);
    }
  }

  async #now(signal?: AbortSignal): Promise<Session | null> {
    const outcome = await this.load(signal);
    return outcome.kind === 'session' ? outcome.session : null;
  }

  async #fetch(path: string, init: RequestInit & { headers?: Record<string, string> }, timeout: number, signal?: AbortSignal): Promise<Response | Failure> {
    const limit = new AbortController();
    const abort = () => limit.abort();
    const timer = setTimeout(abort, timeout);
    signal?.addEventListener('abort', abort);
    if (signal?.aborted) abort();
    try {
      const answer = await fetch(this.#address + path, {
        ...init,
        headers: { ...init.headers, Authorization: `Bearer ${this.#token}` },
        credentials: 'omit',
        cache: 'no-store',
        referrerPolicy: 'no-referrer',
        signal: limit.signal,
      });
      return answer.ok ? answer : failure(answer.status, answer.headers.get('Retry-After'));
    } catch {
      return { kind: 'offline' };
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    }
  }

  /** XMLHttpRequest, since fetch does not say how much of a body is sent. */
  #send(photo: Blob, nonce: string, progress: (part: number) => void, signal?: AbortSignal): Promise<{ status: number; body: unknown; after: string | null }> {
    return new Promise((done) => {
      const request = new XMLHttpRequest();
      request.open('POST', `${this.#address}/photo?os=${deviceOs()}`);
      request.responseType = 'json';
      request.timeout = PHOTO_TIMEOUT;
      request.setRequestHeader('Authorization', `Bearer ${this.#token}`);
      request.setRequestHeader('Content-Type', photo.type);
      request.setRequestHeader('Lifesign-Nonce', nonce);
      request.upload.onprogress = (event) => {
        if (event.lengthComputable && event.total > 0) progress(event.loaded / event.total);
      };
      const abort = () => request.abort();
      signal?.addEventListener('abort', abort);
      request.onloadend = () => {
        signal?.removeEventListener('abort', abort);
        // The status is 0 where no answer came: no network, a timeout, an abort.
        done({ status: request.status, body: request.status ? request.response : null, after: request.status ? request.getResponseHeader('Retry-After') : null });
      };
      request.send(photo);
    });
  }
}

async function body<T>(answer: Response): Promise<T | null> {
  try {
    return ((await answer.json()) as { data?: T }).data ?? null;
  } catch {
    return null;
  }
}
