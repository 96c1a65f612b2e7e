import { Announcer } from './announcer.ts';
import type { Device } from './camera.ts';
import { h, icon } from './dom.ts';
import type { Hint } from './hints.ts';
import { ovalIn } from './hints.ts';
import type { State } from './machine.ts';
import type { Messages } from './messages.ts';
import { fill } from './messages.ts';

/** What the person can do. */
export interface Actions {
  camera(): void;
  device(id: string): void;
  shutter(): void;
  file(file: File): void;
  use(): void;
  retry(): void;
}

export interface Texts { tag: string; dir: 'ltr' | 'rtl'; messages: Messages }

const ICONS = {
  face: 'M12 3a7 8.5 0 0 1 7 8.5c0 5-3.5 9.5-7 9.5s-7-4.5-7-9.5A7 8.5 0 0 1 12 3ZM9.2 10v1M14.8 10v1M9.5 15.5c1.6 1.2 3.4 1.2 5 0',
  camera: 'M4 8h3l1.5-2.5h7L17 8h3v11H4ZM12 16.2a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4Z',
  check: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM8 12.3l2.8 2.8L16 9.5',
  cross: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM9 9l6 6M15 9l-6 6',
  again: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 7.5v5.5M12 16v.5',
  clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 7v5l3.2 2',
} as const;

/** Draws the state into the component's shadow root. It decides nothing. */
export class View {
  /** One video element for all of the component's life: browsers tie the permission to play to it. */
  readonly video = h('video', { autoplay: true, muted: true, playsinline: true, part: 'video' });

  #act: Actions;
  #main = h('div', { class: 'main', part: 'main' });
  #live = h('p', { class: 'hidden', 'aria-live': 'polite', role: 'status' });
  #announcer = new Announcer((text) => { this.#live.textContent = text; });
  #file = h('input', { type: 'file', accept: 'image/jpeg,image/png,image/webp', class: 'hidden', tabindex: '-1', 'aria-hidden': 'true' });
  #resize = new ResizeObserver(() => this.#placeOval());

  // Of the step that is shown.
  #texts: Texts | null = null;
  #step = '';
  #hint: HTMLElement | null = null;
  #oval: HTMLElement | null = null;
  #chooser: HTMLElement | null = null;
  #shutter: HTMLElement | null = null;
  #progress: HTMLProgressElement | null = null;
  #wait: HTMLElement | null = null;
  #photo: string | null = null;
  #used = false;
  #choosing = false;

  constructor(root: ShadowRoot, act: Actions) {
    this.#act = act;
    // The property, too: the attribute of a made element mutes nothing, and iOS plays no video that is not muted.
    this.video.muted = true;
    this.#file.addEventListener('change', () => {
      const file = this.#file.files?.[0];
      // Else the same file could not be chosen again.
      this.#file.value = '';
      if (file) act.file(file);
    });
    root.append(this.#main, this.#live, this.#file);
  }

  /** Shows a state; the whole step is drawn anew only when it is another, or in another language. */
  show(state: State, texts: Texts): void {
    const part = state.step === 'uploading' && state.progress >= 1 ? 'checking' : '';
    const key = [state.step, part, state.notice].join(' ');
    const same = key === this.#step && texts === this.#texts;
    const moved = state.step !== this.#step.split(' ')[0];
    this.#step = key;
    this.#texts = texts;
    if (!same) this.#draw(state, moved);
    this.#mark(state);
    if (this.#progress && part === '') this.#progress.value = state.progress;
    if (this.#wait && state.wait !== null) this.#wait.textContent = fill(texts.messages.busy_wait, state.wait);
  }

  /** The photograph to look at, as the address of a blob; null where there is none. */
  set photo(address: string | null) {
    this.#photo = address;
  }

  mirror(front: boolean): void {
    this.video.classList.toggle('mirrored', front);
  }

  hint(hint: Hint): void {
    if (!this.#hint || !this.#texts || this.#hint.dataset.hint === hint) return;
    const text = this.#texts.messages[`hint_${hint}`];
    this.#hint.dataset.hint = hint;
    this.#hint.textContent = text;
    this.#oval?.classList.toggle('good', hint === 'good');
    this.#announcer.push(text);
  }

  devices(devices: Device[], current: string): void {
    if (!this.#chooser || !this.#texts) return;
    const t = this.#texts.messages;
    if (devices.length < 2) return this.#chooser.replaceChildren();
    const select = h('select', { part: 'camera-choice', change: () => {
      this.#used = this.#choosing = true;
      this.#act.device(select.value);
    } },
      ...devices.map((device, i) => h('option', { value: device.id, selected: device.id === current }, device.label || fill(t.camera_number, i + 1))));
    this.#chooser.replaceChildren(h('label', {}, h('span', {}, t.camera_choice), select));
    // Whoever goes through the cameras by keyboard stays there.
    if (this.#choosing) select.focus({ preventScroll: true });
    this.#choosing = false;
  }

  stop(): void {
    this.#announcer.clear();
    this.#resize.disconnect();
    this.video.srcObject = null;
  }

  /** In place, since a camera that is just taking the photograph must not lose its video element. */
  #mark(state: State): void {
    const text = this.#texts!.messages[state.taking ? 'taking' : 'shutter'];
    const label = this.#shutter?.querySelector('span');
    if (label && label.textContent !== text) label.textContent = text;
    this.#shutter?.setAttribute('aria-disabled', String(state.taking));
  }

  #draw(state: State, moved: boolean): void {
    const texts = this.#texts!;
    this.#hint = this.#oval = this.#chooser = this.#shutter = this.#progress = this.#wait = null;
    this.#resize.disconnect();
    this.#announcer.clear();
    this.#main.lang = texts.tag;
    this.#main.dir = texts.dir;
    this.#main.dataset.step = state.step;
    this.#main.replaceChildren(...this.#content(state, texts.messages));

    // Not at the first step: a page that is just being read keeps its focus. A notice in the same step leaves it, too.
    const title = this.#main.querySelector('h2');
    const lost = !(this.#main.getRootNode() as ShadowRoot).activeElement;
    if (this.#used && (moved || lost)) title?.focus({ preventScroll: true });
    if (['passed', 'failed'].includes(state.step)) this.#announcer.push([...this.#main.querySelectorAll('h2, .text')].map((one) => one.textContent).join('. '));
  }

  #content(state: State, t: Messages): Node[] {
    const left = state.session ? fill(t.photos_left, state.session.uploadsLeft) : null;
    switch (state.step) {
      case 'loading':
        return [h('p', { class: 'panel loading', role: 'status' }, h('span', { class: 'spinner', 'aria-hidden': 'true' }), t.loading)];
      case 'welcome':
        return this.#panel(icon('face', ICONS.face), t.welcome_title, [t.welcome_why], {
          extra: [
            h('ul', { class: 'tips' }, h('li', {}, t.tip_light), h('li', {}, t.tip_face), h('li', {}, t.tip_alone)),
            h('p', { class: 'small' }, state.session?.photosKept ? t.welcome_privacy_kept : t.welcome_privacy),
            state.camera ? null : h('p', { class: 'text' }, t.no_camera),
            this.#notice(state, t),
          ],
          buttons: state.camera ? [this.#cameraButton(t.start_camera)] : [this.#fileButton(t.upload_instead, 'primary'), this.#cameraButton(t.start_camera, 'plain')],
        });
      case 'asking':
        return this.#panel(icon('camera', ICONS.camera), t.asking_title, [t.asking_text], {});
      case 'camera-error':
        return this.#panel(icon('cross', ICONS.cross), t[`camera_${state.cameraReason}_title`], [t[`camera_${state.cameraReason}_text`]], {
          alert: true,
          extra: [this.#notice(state, t)],
          buttons: [this.#cameraButton(t.try_again), this.#fileButton(t.upload_instead)],
        });
      case 'paused':
        return this.#panel(icon('camera', ICONS.camera), t.paused_title, state.notice === 'camera' ? [] : [t.paused_text], {
          extra: [this.#notice(state, t)],
          buttons: [this.#cameraButton(t.start_camera)],
        });
      case 'live':
        return [this.#liveStage(state, t)];
      case 'review':
        return [this.#review(state, t)];
      case 'uploading': {
        const checking = state.progress >= 1;
        const [title, text] = checking ? [t.checking_title, t.checking_text] : [t.uploading_title, t.uploading_text];
        this.#progress = h('progress', { max: '1', 'aria-label': title, ...(checking ? {} : { value: String(state.progress) }) });
        return [h('div', { class: 'panel' }, this.#picture(), this.#title(title), h('p', { class: 'text' }, text), this.#progress)];
      }
      case 'passed':
        return this.#panel(icon('check good', ICONS.check), t.passed_title, [t.passed_text], { last: true });
      case 'failed':
        return this.#panel(icon('cross bad', ICONS.cross), t.failed_title, [t.failed_text], { last: true });
      case 'expired':
        return this.#panel(icon('clock', ICONS.clock), t.expired_title, [t.expired_text], { alert: true, last: true });
      case 'refused':
      case 'unclear':
        return this.#panel(icon('again', ICONS.again), state.step === 'refused' ? t.refused_title : t.unclear_title,
          [state.step === 'refused' ? t.refused_text : t[`unclear_${state.unclearReason}`]], {
            alert: true,
            extra: [left && h('p', { class: 'small' }, left), this.#notice(state, t)],
            buttons: state.source === 'file' ? [this.#fileButton(t.upload_another, 'primary'), state.camera && this.#cameraButton(t.start_camera, 'plain')] : [this.#cameraButton(t.try_again)],
          });
      case 'busy': {
        const wait = h('p', { class: 'small' });
        if (state.wait !== null) this.#wait = wait;
        return this.#panel(icon('clock', ICONS.clock), t.busy_title, [state.wait === null ? t.busy_later : t.busy_text], {
          alert: true, extra: [wait], buttons: [this.#button(t.try_again, 'primary', () => this.#act.retry())],
        });
      }
      case 'offline':
        return this.#panel(icon('cross', ICONS.cross), t.offline_title, [t.offline_text], {
          alert: true,
          extra: [state.resume === 'upload' && h('p', { class: 'small' }, t.offline_kept)],
          buttons: [this.#button(t.try_again, 'primary', () => this.#act.retry())],
        });
      case 'fault':
        return this.#panel(icon('cross', ICONS.cross), t[`fault_${state.faultReason}_title`], [t[`fault_${state.faultReason}_text`]], {
          alert: true, last: true, buttons: state.faultReason === 'link' ? [] : [this.#button(t.try_again, 'primary', () => this.#act.retry())],
        });
    }
  }

  #panel(picture: Node, title: string, texts: string[], more: { alert?: boolean; last?: boolean; extra?: (Node | null | false | '')[]; buttons?: (Node | false)[] }): Node[] {
    const paragraphs = texts.map((text) => h('p', { class: 'text' }, text));
    const extra = (more.extra ?? []).filter((one): one is Node => Boolean(one));
    const buttons = (more.buttons ?? []).filter((one): one is Node => Boolean(one));
    return [h('div', { class: 'panel', part: 'panel' },
      picture,
      this.#title(title),
      ...(more.alert ? [h('div', { role: 'alert' }, ...paragraphs)] : paragraphs),
      ...extra,
      buttons.length > 0 && h('div', { class: 'buttons' }, ...buttons),
      // A page puts here what follows, such as a way back.
      more.last === true && h('slot', { name: 'finish' }))];
  }

  #liveStage(state: State, t: Messages): Node {
    this.video.setAttribute('aria-label', t.preview);
    this.#hint = h('p', { class: 'hint', part: 'hint', 'data-hint': '' });
    this.#oval = h('div', { class: 'oval', part: 'oval' });
    this.#chooser = h('div', { class: 'chooser' });
    this.#shutter = this.#button(t.shutter, 'primary shutter', () => this.#act.shutter(), icon('camera', ICONS.camera));
    const stage = h('div', { class: 'stage', part: 'stage' }, this.video, this.#oval, this.#hint);
    this.#resize.observe(stage);
    queueMicrotask(() => this.hint('start'));
    // Some browsers stop a video that was moved in the document.
    this.video.play().catch(() => {});
    return h('div', { class: 'shoot' },
      this.#title(t.live_title),
      stage,
      h('div', { class: 'controls' },
        this.#notice(state, t),
        this.#shutter,
        this.#chooser));
  }

  #review(state: State, t: Messages): Node {
    return h('div', { class: 'shoot' },
      this.#title(t.review_title),
      h('div', { class: 'stage still', part: 'stage' }, this.#photo ? h('img', { src: this.#photo, alt: t.review_picture }) : ''),
      h('div', { class: 'controls' },
        h('p', { class: 'text' }, t.review_text),
        this.#notice(state, t),
        h('div', { class: 'buttons' },
          this.#button(t.use_photo, 'primary', () => this.#act.use()),
          state.source === 'file' ? this.#fileButton(t.upload_another) : this.#cameraButton(t.take_another, 'plain'))));
  }

  #picture(): Node | null {
    return this.#photo ? h('img', { src: this.#photo, alt: '', class: 'thumb' }) : null;
  }

  #title(text: string): HTMLElement {
    return h('h2', { tabindex: '-1', part: 'title' }, text);
  }

  #notice(state: State, t: Messages): HTMLElement | null {
    return state.notice ? h('p', { class: 'notice', role: 'alert' }, t[`notice_${state.notice}`]) : null;
  }

  #button(text: string, look: string, act: () => void, picture: Node | null = null): HTMLButtonElement {
    return h('button', { type: 'button', class: look, part: `button ${look}`, click: () => { this.#used = true; act(); } }, picture, h('span', {}, text));
  }

  #cameraButton(text: string, look = 'primary'): HTMLButtonElement {
    return this.#button(text, look, () => this.#act.camera());
  }

  #fileButton(text: string, look = 'plain'): HTMLButtonElement {
    return this.#button(text, look, () => this.#file.click());
  }

  /** By the object model, since a style attribute would break the pages' policy. */
  #placeOval(): void {
    const oval = this.#oval;
    const stage = oval?.parentElement;
    if (!oval || !stage?.clientWidth) return;
    const { x, y, rx, ry } = ovalIn({ width: stage.clientWidth, height: stage.clientHeight });
    for (const [name, value] of Object.entries({ left: x - rx, top: y - ry, width: 2 * rx, height: 2 * ry })) oval.style.setProperty(name, `${value}px`);
  }
}
