import { LANGUAGES, type LifesignCapture, pickLanguage } from 'lifesign-capture';
import { returnAddress, sessionOf, takeToken } from './address.ts';

/** Milliseconds in which the person can read how it went. */
const RETURN_AFTER = 3000;

const capture = document.querySelector('lifesign-capture') as LifesignCapture;
const session = sessionOf(location.pathname);

// A page of one language for the whole of it: `?lang=es`, else the browser's.
const tag = pickLanguage([new URLSearchParams(location.search).get('lang'), ...navigator.languages]);
const { dir, messages } = LANGUAGES[tag]!;
document.documentElement.lang = tag;
document.documentElement.dir = dir;
document.title = messages.page_title;
document.querySelector('h1')!.textContent = messages.page_title;

let returning: ReturnType<typeof setTimeout> | undefined;

function begin(): void {
  clearTimeout(returning);
  capture.querySelector('.finish')?.remove();
  capture.lang = tag;
  capture.session = session;
  capture.token = takeToken(session, location, history, () => sessionStorage);
}

/** Offers the way back; by itself where the session has come to its end. */
function offerReturn(alone: boolean): void {
  const address = returnAddress(capture.returnUrl, session);
  if (!address || capture.querySelector('.finish')) return;

  const go = () => location.assign(address);
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = messages.continue;
  button.addEventListener('click', go);
  const box = document.createElement('div');
  box.slot = 'finish';
  box.className = 'finish';
  box.append(button);
  if (alone) {
    const note = document.createElement('p');
    note.textContent = messages.returning;
    box.append(note);
    returning = setTimeout(go, RETURN_AFTER);
  }
  capture.append(box);
  button.focus();
}

capture.addEventListener('lifesign-finish', () => offerReturn(true));
capture.addEventListener('lifesign-error', ({ detail }) => {
  if (detail.reason === 'session_expired') offerReturn(false);
});
// A second link of the same session, opened in the same tab, changes only the fragment.
addEventListener('hashchange', () => { if (location.hash.length > 1) begin(); });

begin();
