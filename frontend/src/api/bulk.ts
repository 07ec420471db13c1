/** Cancel, retry or delete many jobs: in bounded steps, each job answered for itself. */

import { BULK_STEP } from '@/config/constants';

import { http, unwrap } from './client';
import { statusesOf } from './job-pages';
import type { JobFilter } from './keys';
import type { BulkAction, BulkItem } from './types';

/** Jobs by name, or all of a list as it was at a moment. */
export type BulkTarget = { ids: readonly string[] } | { filter: JobFilter; before: string };

export interface BulkRun {
  action: BulkAction;
  target: BulkTarget;
  signal: AbortSignal;
  /** Told after each step what it brought. */
  onStep: (items: readonly BulkItem[]) => void;
}

/** Runs to the end, or until stopped. A step that fails throws; what the steps before it did has been told. */
export async function runBulk(run: BulkRun): Promise<void> {
  if ('ids' in run.target) await runIds(run, run.target.ids);
  else await runFilter(run, run.target.filter, run.target.before);
}

async function runIds({ action, signal, onStep }: BulkRun, ids: readonly string[]): Promise<void> {
  for (let at = 0; at < ids.length && !signal.aborted; at += BULK_STEP) {
    const body = { action, ids: ids.slice(at, at + BULK_STEP), limit: BULK_STEP };
    onStep((await unwrap(http.POST('/api/jobs/bulk', { body }))).items);
  }
}

async function runFilter(
  { action, signal, onStep }: BulkRun,
  filter: JobFilter,
  before: string,
): Promise<void> {
  const wanted = { status: statusesOf(filter.tab), q: filter.q || null, created_before: before };
  let cursor: string | null = null;
  do {
    const body = { action, filter: wanted, limit: BULK_STEP, cursor };
    const answer: { items: BulkItem[]; next_cursor: string | null } = await unwrap(
      http.POST('/api/jobs/bulk', { body }),
    );
    onStep(answer.items);
    cursor = answer.next_cursor;
  } while (cursor !== null && !signal.aborted);
}
