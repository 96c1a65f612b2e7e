import { beforeEach, describe, expect, it, vi } from 'vitest';
import { returnAddress, sessionOf, takeToken } from '../pages/address.ts';

const ID = '0123456789abcdef01234567';

it('finds the session in the path', () => {
  expect(sessionOf(`/capture/${ID}`)).toBe(ID);
  expect(sessionOf(`/capture/${ID}/`)).toBe(ID);
  expect(sessionOf('/')).toBe('');
});

describe('the browser token', () => {
  const history = { state: { a: 1 }, replaceState: vi.fn() } as unknown as History;
  const at = (hash: string) => ({ hash, pathname: `/capture/${ID}`, search: '?lang=es' }) as Location;
  const store = () => sessionStorage;
  beforeEach(() => {
    sessionStorage.clear();
    vi.mocked(history.replaceState).mockClear();
  });

  it('is taken out of the address, and found again after a reload', () => {
    expect(takeToken(ID, at('#secret'), history, store)).toBe('secret');
    expect(history.replaceState).toHaveBeenCalledWith({ a: 1 }, '', `/capture/${ID}?lang=es`);
    expect(takeToken(ID, at(''), history, store)).toBe('secret');
    expect(localStorage.length).toBe(0);
  });

  it('is of its session alone, and the newer one counts', () => {
    takeToken(ID, at('#old'), history, store);
    expect(takeToken('other', at(''), history, store)).toBe('');
    expect(takeToken(ID, at('#new'), history, store)).toBe('new');
    expect(takeToken(ID, at(''), history, store)).toBe('new');
  });

  it('works once where the browser forbids storage', () => {
    const forbidden = () => { throw new DOMException('no', 'SecurityError'); };
    expect(takeToken(ID, at('#secret'), history, forbidden)).toBe('secret');
    expect(takeToken(ID, at(''), history, forbidden)).toBe('');
  });
});

describe('the way back', () => {
  it.each([
    ['https://shop.example/back', `https://shop.example/back?capture_session=${ID}`],
    ['https://shop.example/back?a=1%202&b', `https://shop.example/back?a=1%202&b&capture_session=${ID}`],
    ['https://shop.example/back#part', `https://shop.example/back?capture_session=${ID}#part`],
    ['http://localhost:3000/', `http://localhost:3000/?capture_session=${ID}`],
    ['http://127.0.0.1:3000/', `http://127.0.0.1:3000/?capture_session=${ID}`],
    ['http://shop.example/back', null],
    ['javascript:alert(1)', null],
    ['data:text/html,x', null],
    ['//shop.example', null],
    ['', null],
    [null, null],
  ])('%s', (url, address) => {
    expect(returnAddress(url, ID)).toBe(address);
  });
});
