import type { Camera } from './camera.ts';
import { CameraError, cameraLikely, closeCamera, listDevices, openCamera } from './camera.ts';
import type { PhotoOutcome } from './client.ts';
import { Client } from './client.ts';
import { Frames } from './frames.ts';
import { Guide } from './guide.ts';
import type { Effect, Event as Happening, State } from './machine.ts';
import { START, next } from './machine.ts';
import type { Messages } from './messages.ts';
import { LANGUAGES, pickLanguage } from './messages.ts';
import { readFile, smaller, takeStill } from './still.ts';
import css from './styles.css?inline';
import type { Texts } from './view.ts';
import { View } from './view.ts';

const PROPERTIES = ['session', 'token', 'base', 'lang', 'messages'] as const;

/** Bytes of a photograph that was too large as it was: below the smallest limit that a service sensibly has. */
const SHRUNK_BYTES = 1024 * 1024;

let sheet: CSSStyleSheet | undefined;
function styles(): CSSStyleSheet {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
  }
  return sheet;
}

export interface LifesignCaptureEventMap {
  'lifesign-ready': CustomEvent<null>;
  'lifesign-retry': CustomEvent<{ reason: string }>;
  'lifesign-finish': CustomEvent<{ session: string; passed: boolean }>;
  'lifesign-error': CustomEvent<{ reason: string }>;
}

/** `<lifesign-capture>`: takes the photograph of a capture session. It carries out what the state machine asks for. */
export class LifesignCapture extends HTMLElement {
  static readonly observedAttributes = ['session', 'token', 'base', 'lang'];

  #state: State = START;
  #view: View;
  #texts: Texts;
  #frames = new Frames();
  #token: string | null = null;
  #overrides: Partial<Messages> = {};

  #client: Client | null = null;
  #camera: Camera | null = null;
  #device: string | null = null;
  #guide: Guide | null = null;
  #photo: Blob | null = null;
  #address: string | null = null;
  #ticker: ReturnType<typeof setInterval> | undefined;
  #deadline: ReturnType<typeof setTimeout> | undefined;
  #starting = false;
  /** Of this run; whatever comes back after it was aborted is not looked at. */
  #run = new AbortController();

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [styles()];
    this.#texts = this.#choose();
    this.#view = new View(root, {
      camera: () => this.#happen({ type: 'camera' }),
      device: (id) => {
        this.#device = id;
        this.#happen({ type: 'camera' });
      },
      shutter: () => this.#happen({ type: 'shutter' }),
      file: (file) => void this.#read(file),
      use: () => this.#happen({ type: 'use' }),
      retry: () => this.#happen({ type: 'retry' }),
    });
  }

  get session(): string { return this.getAttribute('session') ?? ''; }
  set session(value: string) { this.setAttribute('session', value); }

  get base(): string { return this.getAttribute('base') ?? ''; }
  set base(value: string) { this.setAttribute('base', value); }

  /** The browser token. As a property it is not written into the document. An empty one is known to be missing. */
  get token(): string | null { return this.#token ?? this.getAttribute('token'); }
  set token(value: string | null) {
    this.#token = value;
    this.#restart();
  }

  /** Texts to use instead of the component's own. */
  get messages(): Partial<Messages> { return this.#overrides; }
  set messages(value: Partial<Messages>) {
    this.#overrides = value ?? {};
    this.#translate();
  }

  /** Where the person came from, once the session is known. */
  get returnUrl(): string | null { return this.#state.session?.returnUrl ?? null; }

  connectedCallback(): void {
    // A page may have set them before this class was known.
    for (const name of PROPERTIES) {
      if (!Object.hasOwn(this, name)) continue;
      const own = this as unknown as Record<string, unknown>;
      const value = own[name];
      delete own[name];
      own[name] = value;
    }
    document.addEventListener('visibilitychange', this.#hidden);
    window.addEventListener('pagehide', this.#hidden);
    this.#translate();
    this.#restart();
  }

  disconnectedCallback(): void {
    document.removeEventListener('visibilitychange', this.#hidden);
    window.removeEventListener('pagehide', this.#hidden);
    this.#cease();
  }

  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (before === after) return;
    if (name === 'lang') this.#translate();
    else this.#restart();
  }

  /** Begins anew as soon as the session and the token are known; once for all that is set in one go. */
  #restart(): void {
    if (this.#starting || !this.isConnected) return;
    this.#starting = true;
    queueMicrotask(() => {
      this.#starting = false;
      if (!this.isConnected) return;
      this.#cease();
      this.#run = new AbortController();
      this.#state = START;
      this.#view.show(START, this.#texts);
      if (this.session && this.token !== null) void this.#begin(this.#run.signal);
    });
  }

  async #begin(run: AbortSignal): Promise<void> {
    const token = this.token ?? '';
    this.#client = new Client(this.base, this.session, token);
    const camera = await cameraLikely();
    if (!run.aborted) this.#happen({ type: 'start', camera, link: token !== '' });
  }

  #cease(): void {
    this.#run.abort();
    this.#stopCamera();
    this.#drop();
    clearInterval(this.#ticker);
    clearTimeout(this.#deadline);
    this.#view.stop();
  }

  #happen(event: Happening): void {
    const before = this.#state;
    const [state, effects] = next(before, event);
    this.#state = state;
    if (state.step !== 'busy') clearInterval(this.#ticker);
    if (state.session?.secondsLeft !== before.session?.secondsLeft) this.#watch();
    this.#view.show(state, this.#texts);
    for (const effect of effects) void this.#carryOut(effect, this.#run.signal);
  }

  async #carryOut(effect: Effect, run: AbortSignal): Promise<void> {
    // What comes back belongs to the run that asked for it.
    const then = (event: Happening) => { if (!run.aborted) this.#happen(event); };
    switch (effect.do) {
      case 'load':
        return then({ type: 'loaded', outcome: await this.#client!.load(run) });
      case 'open-camera':
        return this.#open(run, then);
      case 'close-camera':
        return this.#stopCamera();
      case 'take-still':
        return this.#take(run, then);
      case 'drop-photo':
        return this.#drop();
      case 'shrink':
        try {
          const photo = await smaller(this.#photo!, SHRUNK_BYTES);
          if (!run.aborted) this.#photo = photo;
        } catch {
          // It is sent as it is, and refused once more.
        }
        return this.#upload(run, then);
      case 'upload':
        return this.#upload(run, then);
      case 'wait':
        clearInterval(this.#ticker);
        this.#ticker = setInterval(() => this.#happen({ type: 'tick' }), 1000);
        return;
      case 'ready':
        return this.#tell('lifesign-ready', null);
      case 'finish':
        return this.#tell('lifesign-finish', { session: this.session, passed: effect.passed });
      case 'retry':
        return this.#tell('lifesign-retry', { reason: effect.reason });
      case 'error':
        return this.#tell('lifesign-error', { reason: effect.reason });
    }
  }

  async #open(run: AbortSignal, then: (event: Happening) => void): Promise<void> {
    let camera: Camera;
    try {
      camera = await openCamera(this.#device);
    } catch (error) {
      return then({ type: 'camera-failed', reason: error instanceof CameraError ? error.reason : 'unknown' });
    }
    // While the browser asked, the person may have left, or the time run out.
    if (run.aborted || this.#state.step !== 'asking') return closeCamera(camera);
    this.#stopCamera();
    this.#camera = camera;
    camera.track.addEventListener('ended', () => { if (this.#camera === camera) then({ type: 'camera-ended' }); });
    this.#view.video.srcObject = camera.stream;
    this.#view.mirror(camera.front);
    then({ type: 'camera-opened' });
    if (document.hidden) return then({ type: 'hidden' });

    this.#look(run, then);
    const devices = await listDevices();
    if (this.#camera === camera) this.#view.devices(devices, camera.device);
  }

  #look(run: AbortSignal, then: (event: Happening) => void): void {
    this.#guide?.stop();
    this.#guide = new Guide({
      grab: () => this.#frames.grab(this.#view.video),
      send: (frame, signal) => this.#client!.frame(frame, signal),
      hint: (hint) => { if (!run.aborted) this.#view.hint(hint); },
      good: () => then({ type: 'shutter' }),
      over: () => then({ type: 'over' }),
    });
  }

  async #take(run: AbortSignal, then: (event: Happening) => void): Promise<void> {
    const camera = this.#camera;
    if (!camera) return;
    this.#guide?.stop();
    try {
      const photo = await takeStill(this.#view.video, camera.track);
      if (this.#camera === camera) this.#show(photo, 'camera', then);
    } catch {
      if (this.#camera !== camera) return;
      then({ type: 'still-failed' });
      this.#look(run, then);
    }
  }

  async #read(file: File): Promise<void> {
    const run = this.#run.signal;
    const photo = await readFile(file);
    if (run.aborted) return;
    if (photo) this.#show(photo, 'file', (event) => this.#happen(event));
    else this.#happen({ type: 'file-failed' });
  }

  #show(photo: Blob, source: 'camera' | 'file', then: (event: Happening) => void): void {
    this.#drop();
    this.#photo = photo;
    this.#address = URL.createObjectURL(photo);
    this.#view.photo = this.#address;
    then({ type: 'photo', source });
    // The session may have ended while the person chose a file.
    if (this.#state.step !== 'review') this.#drop();
  }

  async #upload(run: AbortSignal, then: (event: Happening) => void): Promise<void> {
    const { session } = this.#state;
    if (!session || !this.#photo) return;
    const outcome: PhotoOutcome = await this.#client!.photo(this.#photo, session.nonce, (part) => then({ type: 'progress', part }), run);
    then({ type: 'answered', outcome });
  }

  #stopCamera(): void {
    this.#guide?.stop();
    this.#guide = null;
    closeCamera(this.#camera);
    this.#camera = null;
    this.#view.video.srcObject = null;
  }

  #drop(): void {
    this.#photo = null;
    this.#view.photo = null;
    if (this.#address) URL.revokeObjectURL(this.#address);
    this.#address = null;
  }

  /** Asks again when the session's time is up, so that nobody takes a photograph for nothing. */
  #watch(): void {
    clearTimeout(this.#deadline);
    const { session } = this.#state;
    if (session?.status !== 'open') return;
    // The clock that runs in here counts from when the answer came; the device's own may be wrong. A second more, since what is left of
    // one is not said: asked too early, the service would still call the session open.
    this.#deadline = setTimeout(() => this.#happen({ type: 'over' }), (session.secondsLeft + 1) * 1000);
  }

  #hidden = (event: globalThis.Event): void => {
    if (event.type === 'pagehide' || document.hidden) this.#happen({ type: 'hidden' });
  };

  #choose(): Texts {
    const tag = pickLanguage([this.getAttribute('lang'), ...(navigator.languages ?? [])]);
    const { dir, messages } = LANGUAGES[tag]!;
    return { tag, dir, messages: { ...messages, ...this.#overrides } };
  }

  #translate(): void {
    this.#texts = this.#choose();
    if (this.isConnected) this.#view.show(this.#state, this.#texts);
  }

  #tell<K extends keyof LifesignCaptureEventMap>(name: K, detail: LifesignCaptureEventMap[K]['detail']): void {
    this.dispatchEvent(new CustomEvent(name, { bubbles: true, composed: true, detail }));
  }
}
