import type { CameraReason } from './camera.ts';
import type { Hint } from './hints.ts';
import type { FaultReason, Notice, UnclearReason } from './machine.ts';

type Plain =
  | 'page_title' | 'noscript' | 'loading'
  | 'welcome_title' | 'welcome_why' | 'welcome_privacy' | 'welcome_privacy_kept' | 'tip_light' | 'tip_face' | 'tip_alone'
  | 'start_camera' | 'upload_instead' | 'upload_another' | 'no_camera'
  | 'asking_title' | 'asking_text'
  | 'live_title' | 'preview' | 'shutter' | 'taking' | 'camera_choice' | 'camera_number'
  | 'paused_title' | 'paused_text'
  | 'review_title' | 'review_text' | 'review_picture' | 'use_photo' | 'take_another'
  | 'uploading_title' | 'uploading_text' | 'checking_title' | 'checking_text'
  | 'passed_title' | 'passed_text' | 'failed_title' | 'failed_text' | 'refused_title' | 'refused_text' | 'unclear_title' | 'photos_left'
  | 'busy_title' | 'busy_text' | 'busy_wait' | 'busy_later' | 'offline_title' | 'offline_text' | 'offline_kept'
  | 'expired_title' | 'expired_text' | 'try_again' | 'continue' | 'returning';

/** Every text that a person can meet. `{n}` stands for a number. */
export type Messages = Record<
  | Plain
  | `hint_${Hint}`
  | `camera_${CameraReason}_${'title' | 'text'}`
  | `unclear_${UnclearReason}`
  | `fault_${FaultReason}_${'title' | 'text'}`
  | `notice_${Notice}`,
  string
>;

export interface Language {
  /** The language's direction of writing. */
  dir: 'ltr' | 'rtl';
  messages: Messages;
}

export type Languages = Record<string, Language>;

// A new language is a new file in that folder, and nothing else.
const files = import.meta.glob<Language>('./messages/*.ts', { eager: true, import: 'default' });

/** The languages that there are, by their tags in lower case. */
export const LANGUAGES: Languages = Object.fromEntries(
  Object.entries(files).map(([path, language]) => [path.replace(/^.*\/|\.ts$/g, '').toLowerCase(), language]),
);

/** The first of the wanted tags that there is, by itself (`es-mx`) or by what it begins with (`es`); else English. */
export function pickLanguage(wanted: readonly (string | null | undefined)[], languages: Languages = LANGUAGES): string {
  for (const tag of wanted) {
    const parts = (tag ?? '').toLowerCase().replace(/_/g, '-').split('-');
    for (; parts.length > 0; parts.pop()) {
      const candidate = parts.join('-');
      if (Object.hasOwn(languages, candidate)) return candidate;
    }
  }
  return 'en';
}

/** A text with its number filled in. */
export function fill(text: string, n: number | string): string {
  return text.replace('{n}', String(n));
}
