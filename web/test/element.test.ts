import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LANGUAGES, type LifesignCapture } from '../src/index.ts';
import english from '../src/messages/en.ts';

const SESSION = { status: 'open', passed: null, nonce: 'n', uploadsLeft: 3, expiresAt: '2030-01-01T00:00:00Z', secondsLeft: 800, returnUrl: 'https://shop.example/', photosKept: false };

let session: Partial<typeof SESSION> = {};
let asked: ReturnType<typeof vi.fn>;
let stream: MediaStream;
let track: { stop: ReturnType<typeof vi.fn>; getSettings(): object; addEventListener(): void; label: string };
let getUserMedia: ReturnType<typeof vi.fn>;

beforeEach(() => {
  session = {};
  asked = vi.fn(async () => new Response(JSON.stringify({ data: { ...SESSION, ...session } })));
  vi.stubGlobal('fetch', asked);
  track = { stop: vi.fn(), getSettings: () => ({ deviceId: 'one', facingMode: 'user' }), addEventListener: () => {}, label: '' };
  stream = new MediaStream();
  stream.getTracks = stream.getVideoTracks = () => [track as unknown as MediaStreamTrack];
  getUserMedia = vi.fn(async () => stream);
  const devices = [{ kind: 'videoinput', deviceId: 'one', label: 'Front' }, { kind: 'videoinput', deviceId: 'two', label: '' }];
  Object.defineProperty(navigator, 'mediaDevices', { configurable: true, value: { getUserMedia, enumerateDevices: async () => devices } });
  vi.stubGlobal('isSecureContext', true);
});
afterEach(() => {
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

function capture(set: (element: LifesignCapture) => void = (element) => { element.session = 'abc'; element.token = 'token'; }): LifesignCapture {
  const element = document.createElement('lifesign-capture');
  element.lang = 'en';
  set(element);
  document.body.append(element);
  return element;
}

const main = (element: LifesignCapture) => element.shadowRoot!.querySelector<HTMLElement>('.main')!;
const step = (element: LifesignCapture, name: string) => vi.waitFor(() => expect(main(element).dataset.step).toBe(name));
const press = (element: LifesignCapture, text: string) => [...element.shadowRoot!.querySelectorAll('button')].find((one) => one.textContent === text)!.click();

describe('<lifesign-capture>', () => {
  it('asks for its session once session and token are known, and says when it is ready', async () => {
    const ready = vi.fn();
    document.body.addEventListener('lifesign-ready', ready, { once: true });
    const element = capture((one) => { one.session = 'abc'; });
    await new Promise((done) => setTimeout(done, 20));
    expect(asked).not.toHaveBeenCalled();
    element.token = 'token';
    await step(element, 'welcome');
    expect(asked).toHaveBeenCalledTimes(1);
    expect(ready).toHaveBeenCalledTimes(1);
    expect(element.returnUrl).toBe('https://shop.example/');
    expect(element.hasAttribute('token')).toBe(false);
  });

  it('takes attributes, too', async () => {
    const element = capture((one) => {
      one.setAttribute('session', 'abc');
      one.setAttribute('token', 'from-attribute');
      one.setAttribute('base', 'https://lifesign.example');
    });
    await step(element, 'welcome');
    expect(asked.mock.lastCall?.[0]).toBe('https://lifesign.example/v1/capture-sessions/abc/capture');
    expect(asked.mock.lastCall?.[1]).toMatchObject({ headers: { Authorization: 'Bearer from-attribute' } });
  });

  it('says whether photographs are kept, as the operator has it', async () => {
    const forgotten = capture();
    await step(forgotten, 'welcome');
    expect(main(forgotten).textContent).toContain(english.messages.welcome_privacy);
    session = { photosKept: true };
    const kept = capture();
    await step(kept, 'welcome');
    expect(main(kept).textContent).toContain(english.messages.welcome_privacy_kept);
    expect(main(kept).textContent).not.toContain(english.messages.welcome_privacy);
  });

  it('says that the link is incomplete without asking anybody', async () => {
    const failed = vi.fn();
    document.body.addEventListener('lifesign-error', (event) => failed(event.detail), { once: true });
    await step(capture((one) => { one.session = 'abc'; one.token = ''; }), 'fault');
    expect(asked).not.toHaveBeenCalled();
    expect(failed).toHaveBeenCalledWith({ reason: 'unauthorized' });
  });

  it('says how a session ended that is over', async () => {
    const finished = vi.fn();
    document.body.addEventListener('lifesign-finish', (event) => finished(event.detail), { once: true });
    session = { status: 'finished', passed: true } as unknown as typeof session;
    await step(capture(), 'passed');
    expect(finished).toHaveBeenCalledWith({ session: 'abc', passed: true });
  });

  it('speaks the language that it is told to, from right to left where that is written so', async () => {
    LANGUAGES['xx'] = { dir: 'rtl', messages: { ...english.messages, welcome_title: 'eltit' } };
    const element = capture();
    await step(element, 'welcome');
    element.lang = 'es-MX';
    expect(main(element).lang).toBe('es');
    expect(main(element).querySelector('h2')?.textContent).toBe('Toma una foto de tu rostro');
    element.lang = 'xx';
    expect(main(element).dir).toBe('rtl');
    expect(main(element).querySelector('h2')?.textContent).toBe('eltit');
    element.messages = { welcome_title: 'Our own' };
    expect(main(element).querySelector('h2')?.textContent).toBe('Our own');
    delete LANGUAGES['xx'];
  });

  it('starts the camera when asked to, offers the others, and moves the focus to what is new', async () => {
    const element = capture();
    await step(element, 'welcome');
    expect(element.shadowRoot!.activeElement).toBe(null);
    expect(getUserMedia).not.toHaveBeenCalled();
    press(element, english.messages.start_camera);
    await step(element, 'live');
    expect(element.shadowRoot!.activeElement?.textContent).toBe(english.messages.live_title);
    expect(element.shadowRoot!.querySelector('video')?.classList.contains('mirrored')).toBe(true);
    await vi.waitFor(() => expect([...element.shadowRoot!.querySelectorAll('option')].map((one) => one.textContent)).toEqual(['Front', 'Camera 2']));
  });

  it('switches the camera off when it is taken out of the page, and when the page is left', async () => {
    const element = capture();
    await step(element, 'welcome');
    press(element, english.messages.start_camera);
    await step(element, 'live');
    window.dispatchEvent(new Event('pagehide'));
    expect(main(element).dataset.step).toBe('paused');
    expect(track.stop).toHaveBeenCalledTimes(1);
    press(element, english.messages.start_camera);
    await step(element, 'live');
    element.remove();
    expect(track.stop).toHaveBeenCalledTimes(2);
  });

  it('switches a camera off that is only allowed once nobody waits for it', async () => {
    let allow: (stream: MediaStream) => void = () => {};
    getUserMedia.mockImplementation(() => new Promise((done) => { allow = done; }));
    const element = capture();
    await step(element, 'welcome');
    press(element, english.messages.start_camera);
    await step(element, 'asking');
    element.remove();
    allow(stream);
    await vi.waitFor(() => expect(track.stop).toHaveBeenCalledTimes(1));
  });

  it('explains a refused camera, and offers a file instead', async () => {
    getUserMedia.mockRejectedValue(new DOMException('no', 'NotAllowedError'));
    const element = capture();
    await step(element, 'welcome');
    press(element, english.messages.start_camera);
    await step(element, 'camera-error');
    expect(main(element).querySelector('[role=alert]')?.textContent).toBe(english.messages.camera_refused_text);
    expect([...main(element).querySelectorAll('button')].map((one) => one.textContent)).toEqual([english.messages.try_again, english.messages.upload_instead]);
  });

  it('asks for less where the cameras cannot do what is wished', async () => {
    getUserMedia.mockReset();
    getUserMedia.mockRejectedValueOnce(new DOMException('no', 'OverconstrainedError')).mockResolvedValue(stream);
    const element = capture();
    await step(element, 'welcome');
    press(element, english.messages.start_camera);
    await step(element, 'live');
    expect(getUserMedia).toHaveBeenCalledTimes(2);
  });
});
