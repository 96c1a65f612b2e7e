import { LifesignCapture } from './element.ts';

export { LifesignCapture, type LifesignCaptureEventMap } from './element.ts';
export { LANGUAGES, pickLanguage, type Language, type Messages } from './messages.ts';

declare global {
  interface HTMLElementTagNameMap {
    'lifesign-capture': LifesignCapture;
  }
  interface HTMLElementEventMap {
    'lifesign-ready': CustomEvent<null>;
    'lifesign-retry': CustomEvent<{ reason: string }>;
    'lifesign-finish': CustomEvent<{ session: string; passed: boolean }>;
    'lifesign-error': CustomEvent<{ reason: string }>;
  }
}

// A page may load this twice, by two addresses.
if (!customElements.get('lifesign-capture')) customElements.define('lifesign-capture', LifesignCapture);
