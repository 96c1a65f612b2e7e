/** The session's id, from an address such as /capture/0123456789abcdef01234567. */
export function sessionOf(path: string): string {
  return /\/capture\/([^/]+)\/?$/.exec(path)?.[1] ?? '';
}

/**
 * The browser token: from the address's fragment, which is then taken out of the address bar and the history, else from where a
 * reload finds it, which ends with the tab. Empty where there is none.
 */
export function takeToken(session: string, location: Location, history: History, store: () => Storage): string {
  const key = `lifesign-capture:${session}`;
  const fragment = location.hash.slice(1);
  if (fragment !== '') history.replaceState(history.state, '', location.pathname + location.search);
  try {
    // A browser may forbid even to look at its storage.
    if (fragment !== '') store().setItem(key, fragment);
    else return store().getItem(key) ?? '';
  } catch {
    // Then a reload asks for a new link.
  }
  return fragment;
}

/** Where the person goes back to, with the session's id; null where there is no such place, or it is none to send a person to. */
export function returnAddress(returnUrl: string | null, session: string): string | null {
  if (!returnUrl || !URL.canParse(returnUrl)) return null;
  const url = new URL(returnUrl);
  const local = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && local)) return null;
  // The integrator's own query stays as it was written.
  url.search = `${url.search}${url.search ? '&' : '?'}capture_session=${encodeURIComponent(session)}`;
  return url.href;
}
