import { expect, it } from 'vitest';

import { ApiError, NetworkError } from '@/lib/errors';

import { once } from './once';

async function keyOf(what: unknown, outcome?: Error): Promise<string> {
  let sent = '';
  await once(what, (headers) => {
    sent = headers['Idempotency-Key'];
    return outcome ? Promise.reject(outcome) : Promise.resolve();
  }).catch(() => undefined);
  return sent;
}

const refused = (status: number, code: string) =>
  new ApiError(status, { code, message: 'No.', request_id: 'r' });

it('keeps its key while nobody knows what became of the request', async () => {
  const first = await keyOf(['a'], new NetworkError('gone'));
  expect(first).toMatch(/^[0-9a-f]{32}$/);
  expect(await keyOf(['a'], refused(503, 'unavailable'))).toBe(first);
  expect(await keyOf(['a'], refused(409, 'idempotency_in_flight'))).toBe(first);
  expect(await keyOf(['b'])).not.toBe(first);
  expect(await keyOf(['a'])).toBe(first);
});

it('takes a new key after every answer', async () => {
  const done = await keyOf(['c']);
  const judged = await keyOf(['c'], refused(422, 'url_unsupported'));
  expect(judged).not.toBe(done);
  expect(await keyOf(['c'])).not.toBe(judged);
});
