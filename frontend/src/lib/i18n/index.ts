/** Typed dictionary. `t('key', {name})` fails to compile on a wrong key or a missing value. */

import { LOCALE } from '@/lib/format';

import { account } from './en-account';
import { auth } from './en-auth';
import { common } from './en-common';
import { jobs } from './en-jobs';
import { options } from './en-options';
import { review } from './en-review';
import { settings } from './en-settings';
import { transcript } from './en-transcript';
import { upload } from './en-upload';

const en = {
  ...common,
  ...account,
  ...auth,
  ...jobs,
  ...options,
  ...upload,
  ...transcript,
  ...review,
  ...settings,
} as const;

type En = typeof en;
export type Key = keyof En;
type Names<S> = S extends `${string}{${infer P}}${infer Rest}` ? P | Names<Rest> : never;
type Values<K extends Key> = Record<Names<En[K]>, string | number>;
type Args<K extends Key> = [Names<En[K]>] extends [never] ? [] : [values: Values<K>];

export function t<K extends Key>(key: K, ...args: Args<K>): string {
  const values = args[0] as Record<string, string | number> | undefined;
  return fill(en[key], values);
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
  const text = form in en ? en[form as Key] : en[`${base}.other` as Key];
  return fill(text, { count });
}

/** Looks a code of the server up (`wait.model_missing`), with a fallback for codes still unknown. */
export function lookup(prefix: string, code: string, fallback: string): string {
  const key = `${prefix}.${code}`;
  return key in en ? en[key as Key] : fallback;
}
