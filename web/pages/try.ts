import { type Camera, type CameraReason, CameraError, cameraOffered, closeCamera, openCamera } from '../src/camera.ts';
import { h } from '../src/dom.ts';
import type { Box, Quality } from '../src/hints.ts';
import english from '../src/messages/en.ts';
import { readFile, takeStill } from '../src/still.ts';
import { describe } from './quality.ts';

interface Judged { passed: boolean; min_score: number; liveness_score: number; decision: 'live' | 'spoof' | 'uncertain'; quality: Quality | null; face: Box | null }

const DECISIONS = { live: 'Live', spoof: 'Spoof', uncertain: 'Uncertain' };

/** The panel in which an operator tries a photograph; nothing of it is recorded. */
export class TryPanel {
  #body: HTMLElement;
  #file = h('input', { type: 'file', accept: 'image/jpeg,image/png,image/webp', hidden: true });
  #camera: Camera | null = null;
  #address: string | null = null;
  #turn = 0;

  constructor(body: HTMLElement) {
    this.#body = body;
    this.#file.addEventListener('change', () => {
      const file = this.#file.files?.[0];
      this.#file.value = '';
      if (file) void this.#judge(file);
    });
    document.addEventListener('paste', (event) => {
      const file = [...(event.clipboardData?.files ?? [])].find((one) => one.type.startsWith('image/'));
      if (file) void this.#judge(file);
    });
    // A photograph that misses the panel must not replace the page.
    document.addEventListener('dragover', (event) => event.preventDefault());
    document.addEventListener('drop', (event) => {
      event.preventDefault();
      const file = event.dataTransfer?.files[0];
      if (file) void this.#judge(file);
    });
    addEventListener('pagehide', () => this.#stop());
    this.#choose();
  }

  #show(...content: (Node | null)[]): void {
    this.#body.replaceChildren(this.#file, ...content.filter((one) => one !== null));
  }

  #stop(): void {
    closeCamera(this.#camera);
    this.#camera = null;
  }

  #choose(trouble = ''): void {
    this.#turn++;
    this.#stop();
    const drop: HTMLElement = h('div', { class: 'drop', dragenter: () => drop.classList.add('over'), dragleave: (event) => {
      if (!drop.contains((event as DragEvent).relatedTarget as Node | null)) drop.classList.remove('over');
    } },
    trouble ? h('p', { class: 'trouble', role: 'alert' }, trouble) : null,
    h('p', {}, 'Drop or paste a photo of a face here.'),
    this.#buttons('Choose a photo'),
    h('p', { class: 'small' }, 'It is judged by this service, and neither stored nor recorded.'));
    this.#show(drop);
  }

  #buttons(choose: string): HTMLElement {
    return h('div', { class: 'row' },
      h('button', { type: 'button', click: () => this.#file.click() }, choose),
      cameraOffered() && h('button', { type: 'button', class: 'plain', click: () => void this.#open() }, 'Use the camera'));
  }

  async #open(): Promise<void> {
    const turn = ++this.#turn;
    this.#stop();
    let camera: Camera;
    try {
      camera = await openCamera(null);
    } catch (error) {
      const reason: CameraReason = error instanceof CameraError ? error.reason : 'unknown';
      if (turn === this.#turn) this.#choose(english.messages[`camera_${reason}_text`]);
      return;
    }
    if (turn !== this.#turn) return closeCamera(camera);
    this.#camera = camera;
    const video = h('video', { autoplay: true, muted: true, playsinline: true, 'aria-label': 'Live picture of your camera', class: camera.front ? 'mirrored' : '' });
    video.muted = true;
    video.srcObject = camera.stream;
    const shutter = h('button', { type: 'button', click: () => {
      shutter.disabled = true;
      takeStill(video, camera.track).then((photo) => this.#judge(photo), () => this.#choose('The photo could not be taken.'));
    } }, 'Take the photo');
    this.#show(h('div', { class: 'camera' }, video, h('div', { class: 'row' }, shutter, h('button', { type: 'button', class: 'plain', click: () => this.#choose() }, 'Cancel'))));
    shutter.focus();
  }

  async #judge(file: Blob): Promise<void> {
    const turn = ++this.#turn;
    this.#stop();
    const photo = await readFile(file);
    if (turn !== this.#turn) return;
    if (!photo) return this.#choose(english.messages.notice_file);

    if (this.#address) URL.revokeObjectURL(this.#address);
    this.#address = URL.createObjectURL(photo);
    const picture = h('div', { class: 'picture' }, h('img', { src: this.#address, alt: 'The photo that is judged' }));
    const verdict = h('div', { class: 'verdict', role: 'status' }, h('p', {}, 'Judging…'));
    this.#show(h('div', { class: 'shown' }, picture, verdict));

    const outcome = await send(photo);
    if (turn !== this.#turn) return;
    if (typeof outcome === 'string') verdict.replaceChildren(h('h3', {}, 'No verdict'), h('p', {}, outcome), this.#buttons('Try another photo'));
    else {
      frame(picture, outcome);
      verdict.replaceChildren(...words(outcome), this.#buttons('Try another photo'));
    }
  }
}

/** What the service says, or a sentence on why it says nothing. */
async function send(photo: Blob): Promise<Judged | string> {
  let answer: Response;
  let body: { data?: Judged; message?: string; failureReason?: string };
  try {
    answer = await fetch('/try', { method: 'POST', headers: { 'Content-Type': photo.type, 'Lifesign-Try': '1' }, body: photo, credentials: 'omit', cache: 'no-store' });
    body = (await answer.json().catch(() => ({}))) as typeof body;
  } catch {
    return 'The service cannot be reached.';
  }
  if (answer.ok && body.data) return body.data;
  switch (answer.status) {
    case 404: return 'This panel is switched off in the service’s configuration.';
    case 413: return 'The photo has more bytes than the service takes.';
    case 422: {
      const text: string | undefined = (english.messages as Record<string, string>)[`unclear_${body.failureReason}`];
      return text ?? body.message ?? english.messages.unclear_other;
    }
    case 429: case 503: return 'The service is busy. Try again in a few seconds.';
    default: return `The service answered with ${answer.status}${body.message ? `: ${body.message}` : ''}.`;
  }
}

function words(judged: Judged): Node[] {
  const { liveness_score: score, min_score: least } = judged;
  const threshold = h('div', { class: 'threshold' }, h('span', {}, `passes above ${least}`));
  threshold.style.setProperty('inset-inline-start', `${100 * least}%`);
  return [
    h('div', { class: 'score' },
      h('h3', { class: judged.decision }, DECISIONS[judged.decision] ?? judged.decision),
      h('b', {}, score.toFixed(4))),
    h('div', { class: 'scale' }, h('meter', { min: '0', max: '1', low: String(least), high: String(least), optimum: '1', value: String(score), 'aria-label': 'Liveness score' }), threshold),
    h('p', {}, judged.passed ? `It passes: the score is above ${least}.` : `It does not pass: the score is not above ${least}.`),
    ...(judged.quality ? [h('table', {}, h('tbody', {}, ...describe(judged.quality).map(({ name, figure, word, good }) =>
      h('tr', {}, h('th', { scope: 'row' }, name), h('td', { class: 'number' }, figure), h('td', good ? {} : { class: 'off' }, word)))))] : []),
  ];
}

/** The face's box over the picture, in parts of the picture, so that it stays there at any size. */
function frame(picture: HTMLElement, judged: Judged): void {
  const image = picture.querySelector('img')!;
  const { face } = judged;
  if (!face || !image.naturalWidth) return;
  const box = h('div', { class: judged.passed ? 'box' : 'box bad', 'aria-hidden': 'true' });
  const part = (length: number, whole: number) => `${(100 * length) / whole}%`;
  box.style.setProperty('left', part(face.x, image.naturalWidth));
  box.style.setProperty('top', part(face.y, image.naturalHeight));
  box.style.setProperty('width', part(face.width, image.naturalWidth));
  box.style.setProperty('height', part(face.height, image.naturalHeight));
  picture.append(box);
}
