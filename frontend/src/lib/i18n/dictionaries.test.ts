/** A text is there when it is asked for: who uses a dictionary that is not on every page imports it. */

import { expect, it } from 'vitest';

import index from './index.ts?raw';

const sources = import.meta.glob<string>('/src/**/*.{ts,tsx}', {
  query: '?raw',
  import: 'default',
  eager: true,
});

const dictionaries = Object.entries(sources)
  .filter(([path]) => path.includes('/lib/i18n/en-'))
  .map(([path, source]) => ({
    name: path.replace(/^.*\/(en-\w+)\.ts$/, '$1'),
    keys: [...source.matchAll(/^ {2}'?([\w.]+)'?:/gm)].map(([, key = '']) => key),
  }));
const later = dictionaries.filter(({ name }) => !index.includes(`import './${name}'`));

const users = Object.entries(sources).filter(
  ([path]) => !path.includes('/lib/i18n/') && !/\.test\.tsx?$|\/testing\//.test(path),
);

function uses(source: string, keys: readonly string[]): string | undefined {
  // lookup('role', …) and t(`theme.${…}`) name a prefix; tn('usage.jobs', …) a key without its form.
  const prefixes = [...source.matchAll(/lookup\(\s*'([\w.]+)'|t\(`([\w.]+)\.\$\{/g)].map(
    ([, looked, filled]) => `${looked ?? filled ?? ''}.`,
  );
  return keys.find((key) => {
    const plural = key.replace(/\.(one|other)$/, '');
    return (
      source.includes(`'${key}'`) ||
      (plural !== key && source.includes(`'${plural}'`)) ||
      prefixes.some((prefix) => key.startsWith(prefix))
    );
  });
}

it('knows dictionaries that are not on every page', () => {
  expect(later.length).toBeGreaterThan(3);
  expect(users.length).toBeGreaterThan(100);
});

it('names no text twice', () => {
  const keys = dictionaries.flatMap((dictionary) => dictionary.keys);
  expect(keys.filter((key, at) => keys.indexOf(key) !== at)).toEqual([]);
});

it.each(later)('$name is imported where it is used', ({ name, keys }) => {
  const missing = users
    .filter(([, source]) => !source.includes(`i18n/${name}'`))
    .map(([path, source]) => [path, uses(source, keys)])
    .filter(([, key]) => key);
  expect(missing).toEqual([]);
});
