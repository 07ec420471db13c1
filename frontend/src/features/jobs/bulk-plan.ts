/** What can be done with what is selected. Pure. */

import { isActive, type BulkAction, type BulkItem, type Job } from '@/api/types';
import { mayHaveChanged } from '@/lib/wait';

export const ACTIONS: readonly BulkAction[] = ['cancel', 'retry', 'delete'];

/** Whether an action makes sense for a job as it is now; the server has the last word. */
export function suits(action: BulkAction, job: Job): boolean {
  if (action === 'delete') return true;
  if (action === 'cancel') return isActive(job) && !job.cancel_requested;
  return job.status === 'failed' || job.status === 'cancelled' || canBeTried(job);
}

/** Waits for something that may be there by now, or for the time of its next try; not merely for its turn. */
function canBeTried(job: Job): boolean {
  return (
    job.status === 'pending' &&
    Boolean(job.wait_reason ?? job.error) &&
    mayHaveChanged(job.wait_reason)
  );
}

export interface Refusals {
  /** As the server says it, in one sentence. */
  message: string;
  items: BulkItem[];
}

/** What could not be done, by reason, the most frequent first. */
export function refusalsOf(items: readonly BulkItem[]): Refusals[] {
  const groups = new Map<string, BulkItem[]>();
  for (const item of items) {
    if (item.outcome === 'done') continue;
    const message = item.message ?? item.code ?? '';
    groups.set(message, [...(groups.get(message) ?? []), item]);
  }
  return [...groups]
    .map(([message, of]) => ({ message, items: of }))
    .sort((a, b) => b.items.length - a.items.length);
}
