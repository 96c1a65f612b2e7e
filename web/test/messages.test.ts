import { describe, expect, it } from 'vitest';
import { fill, LANGUAGES, type Languages, pickLanguage } from '../src/messages.ts';
import english from '../src/messages/en.ts';

const MADE_UP: Languages = { ...LANGUAGES, 'xx-rtl': { dir: 'rtl', messages: english.messages } };

describe('the languages', () => {
  it('are found in their folder', () => {
    expect(Object.keys(LANGUAGES)).toEqual(expect.arrayContaining(['en', 'es']));
  });

  it.each(Object.entries(LANGUAGES))('%s has every text, and none is empty', (_, { dir, messages }) => {
    expect(['ltr', 'rtl']).toContain(dir);
    expect(Object.keys(messages).sort()).toEqual(Object.keys(english.messages).sort());
    for (const [key, text] of Object.entries(messages)) {
      expect(text.trim(), key).not.toBe('');
      // The same numbers stand in it as in the English text.
      expect(text.includes('{n}'), key).toBe(english.messages[key as keyof typeof messages].includes('{n}'));
    }
  });
});

describe('the choice of a language', () => {
  it.each([
    [['es'], 'es'], [['es-MX'], 'es'], [['ES_mx'], 'es'], [['fr', 'es-AR', 'en'], 'es'], [[null, undefined, '', 'es'], 'es'], [['fr'], 'en'], [[], 'en'], [['constructor'], 'en'],
  ])('%j is %s', (wanted, tag) => {
    expect(pickLanguage(wanted)).toBe(tag);
  });

  it('prefers the whole tag', () => {
    expect(pickLanguage(['xx-RTL'], MADE_UP)).toBe('xx-rtl');
  });
});

it('fills in a number', () => {
  expect(fill('Photos left: {n}', 2)).toBe('Photos left: 2');
});
