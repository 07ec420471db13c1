/** Typed dictionary. `t('key', {name})` fails to compile on a wrong key or a missing value. */

import { LOCALE } from '@/lib/format';

// On every page. The other dictionaries are imported where their texts are used (see the test).
import './en-auth';
import './en-common';
import './en-jobs';
import './en-options';
import './en-transcript';
import './en-upload';
import type { account } from './en-account';
import type { activity } from './en-activity';
import type { auth } from './en-auth';
import type { common } from './en-common';
import type { history } from './en-history';
import type { jobs } from './en-jobs';
import type { oidc } from './en-oidc';
import type { options } from './en-options';
import type { review } from './en-review';
import type { server } from './en-server';
import type { settings } from './en-settings';
import type { share } from './en-share';
import type { transcript } from './en-transcript';
import type { upload } from './en-upload';
import type { webhooks } from './en-webhooks';
import type { workspaces } from './en-workspaces';
import { textOf } from './registry';

type En = typeof account &
  typeof activity &
  typeof auth &
  typeof common &
  typeof history &
  typeof jobs &
  typeof oidc &
  typeof options &
  typeof review &
  typeof server &
  typeof settings &
  typeof share &
  typeof transcript &
  typeof upload &
  typeof webhooks &
  typeof workspaces;

export type Key = keyof En;
type Names<S> = S extends `${string}{${infer P}}${infer Rest}` ? P | Names<Rest> : never;
type Values<K extends Key> = Record<Names<En[K]>, string | number>;
type Args<K extends Key> = [Names<En[K]>] extends [never] ? [] : [values: Values<K>];

export function t<K extends Key>(key: K, ...args: Args<K>): string {
  const values = args[0] as Record<string, string | number> | undefined;
  return fill(textOf(key) ?? key, values);
}

function fill(text: string, values: Record<string, string | number> | undefined): string {
  if (!values) return text;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) =>
    name in values ? String(values[name]) : whole,
  );
}

const plurals = new Intl.PluralRules(LOCALE);
type PluralBase = Key extends infer K ? (K extends `${infer B}.other` ? B : never) : never;

/** Picks `key.one` or `key.other` (and more forms in other languages) by count. */
export function tn(base: PluralBase, count: number): string {
  const form = `${base}.${plurals.select(count)}`;
  return fill(textOf(form) ?? textOf(`${base}.other`) ?? base, { count });
}

/** Looks a code of the server up (`wait.model_missing`), with a fallback for codes still unknown. */
export function lookup(prefix: string, code: string, fallback: string): string {
  return textOf(`${prefix}.${code}`) ?? fallback;
}
