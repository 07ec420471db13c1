/** Requests that must not be done twice: sent again after an answer that got lost, they keep their Idempotency-Key. */

import { ApiError, NetworkError } from '@/lib/errors';
import { randomId } from '@/lib/ids';

const unanswered = new Map<string, string>();

/** Sends with a key of its own; with the key of before where the same request was sent and nobody knows what became of it. */
export async function once<T>(
  what: unknown,
  send: (headers: { 'Idempotency-Key': string }) => Promise<T>,
): Promise<T> {
  const name = JSON.stringify(what);
  const key = unanswered.get(name) ?? randomId();
  unanswered.set(name, key);
  try {
    const answer = await send({ 'Idempotency-Key': key });
    unanswered.delete(name);
    return answer;
  } catch (error) {
    if (!isUnknown(error)) unanswered.delete(name);
    throw error;
  }
}

/** Whether the request may have been done: the line broke, a proxy gave up, or the first one is still at work (409). */
function isUnknown(error: unknown): boolean {
  if (error instanceof NetworkError) return true;
  return (
    error instanceof ApiError && (error.status >= 500 || error.code === 'idempotency_in_flight')
  );
}
