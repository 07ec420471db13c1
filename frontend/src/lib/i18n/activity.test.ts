/** Whatever the server may write into a workspace's audit log has a text. */

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { expect, it } from 'vitest';

import { activity } from './en-activity';

const BACKEND = path.resolve(import.meta.dirname, '../../../../backend/app');

const sources = readdirSync(BACKEND, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.py'))
  .map((file) => readFileSync(path.join(BACKEND, file), 'utf8'));

// Acts on an account or on the server, which belong to no workspace and stand on no page.
const ELSEWHERE = /^(user|session|identity|password|totp|model)\./;

/** The text of each call, from its name to the bracket that closes it. */
function calls(source: string, name: RegExp): string[] {
  return [...source.matchAll(name)].map(({ 0: head, index }) => {
    let depth = 1;
    let end = index + head.length;
    while (depth > 0 && end < source.length) {
      depth += { '(': 1, ')': -1 }[source.charAt(end)] ?? 0;
      end += 1;
    }
    return source.slice(index, end);
  });
}

function words(source: string): string[] {
  const found: string[] = [];
  const records = calls(source, /\baudit\.record\(/g);
  // `"noun.verb"` where it is written, noted, or handed on as what a deletion is called.
  for (const call of [
    ...records,
    ...calls(source, /\baccess_log\.note\(|\bnote_read\(|\b_record\("/g),
  ]) {
    found.push(...[...call.matchAll(/"([a-z_]+\.[a-z_]+)"/g)].map(([, word = '']) => word));
  }
  found.push(
    ...[...source.matchAll(/\bact(?:: str)? ?= ?"([a-z_.]+)"/g)].map(([, word = '']) => word),
  );
  // `f"noun.{what}"`: the verbs stand in the calls of the helper around it.
  for (const [, noun = ''] of records.join('\n').matchAll(/f"([a-z_]+)\.\{what\}"/g)) {
    const verbs = calls(source, /\b_(?:record|note)\(/g).flatMap((call) =>
      [...call.matchAll(/^_\w+\(\s*\w+,\s*(?:\w+,\s*)?"([a-z_]+)"/g)].map(([, verb = '']) => verb),
    );
    expect(verbs, noun).not.toEqual([]);
    found.push(...verbs.map((verb) => `${noun}.${verb}`));
  }
  return found;
}

const actions = [...new Set(sources.flatMap(words))].sort();

it('finds what the server writes, however it is spelt there', () => {
  expect(actions).toEqual(
    expect.arrayContaining([
      'file.expired',
      'invitation.created',
      'job.deleted',
      'job.expired',
      'job_grant.revoked',
      'recording.opened',
      'share_link.changed',
      'transcript.watched',
      'webhook.disabled',
      'model.removed',
    ]),
  );
});

it('knows every way in which an action is handed to the log', () => {
  const records = sources.flatMap((source) => calls(source, /\baudit\.record\(/g));
  expect(records.length).toBeGreaterThan(30);
  const spelt = /"[a-z_]+\.[a-z_]+"|f"[a-z_]+\.\{what\}"|\(session, act(?:ion)?,/;
  expect(records.filter((call) => !spelt.test(call))).toEqual([]);
});

it('has a text for each, and none for what is never written', () => {
  const texts = Object.keys(activity)
    .filter((key) => key.startsWith('audit.'))
    .map((key) => key.slice('audit.'.length))
    .sort();
  expect(texts).toEqual(actions.filter((action) => !ELSEWHERE.test(action)));
});
