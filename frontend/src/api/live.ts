/** Event streams into the query cache: one stream for a list page, one for an open transcript. */

import type { QueryClient } from '@tanstack/react-query';

import { readEvents, type SseMessage } from '@/lib/sse';

import {
  dropJob,
  keepEarlierText,
  patchJob,
  refetchResult,
  refreshLists,
  updateJob,
} from './cache';
import { authFetch } from './client';
import { keys } from './keys';
import { emptyResult, joinText, mergeSegments, type WindowOf } from './segments';
import {
  isActive,
  type EndEvent,
  type Job,
  type ProgressEvent,
  type RemovedEvent,
  type SegmentsEvent,
  type TranscriptResult,
} from './types';

export interface LiveOptions {
  cache: QueryClient;
  signal: AbortSignal;
  /** Told when the line goes down and when it is back. */
  onLine?: (up: boolean) => void;
}

function parse(message: SseMessage): unknown {
  try {
    return JSON.parse(message.data);
  } catch {
    return null;
  }
}

function applyProgress(cache: QueryClient, event: ProgressEvent): void {
  updateJob(cache, event.job_id, (job) => {
    if (job.status !== 'processing' && job.status !== 'pending') return job;
    const { progress, stage, eta_seconds } = event;
    return { ...job, progress, stage: stage ?? job.stage, eta_seconds };
  });
}

function stream(url: string, options: LiveOptions, onMessage: (m: SseMessage) => void) {
  return readEvents({
    url,
    fetch: (address, init) => authFetch(address, init),
    signal: options.signal,
    onMessage,
    onOpen: () => options.onLine?.(true),
    onDown: () => options.onLine?.(false),
  });
}

/** All jobs of the workspace: patches rows, asks again for what it cannot know. */
export function watchJobs(options: LiveOptions): Promise<void> {
  const { cache } = options;
  return stream('/api/jobs/events', options, (message) => {
    const data = parse(message);
    if (message.event === 'resync') void cache.invalidateQueries({ queryKey: keys.lists });
    if (!data) return;
    if (message.event === 'status') patchJob(cache, data as Job);
    else if (message.event === 'progress') applyProgress(cache, data as ProgressEvent);
    else if (message.event === 'end') refreshLists(cache);
    else if (message.event === 'removed') dropJob(cache, (data as RemovedEvent).job_id);
  });
}

/** One job with its growing text. */
export function watchJob(id: string, options: LiveOptions): Promise<void> {
  const { cache } = options;
  const windowOf: WindowOf = new Map();
  let attempt: number | null = null;
  // A run over gaps begins with most windows done: the text before stays around what it brings.
  let keepsText = false;
  return stream(`/api/jobs/${encodeURIComponent(id)}/events`, options, (message) => {
    const data = parse(message);
    if (message.event === 'resync') refetch(cache, id);
    if (!data) return;
    if (message.event === 'status') {
      const job = data as Job;
      if (isActive(job)) {
        keepEarlierText(cache, id);
        if (job.windows.committed === 0) {
          keepsText = false;
          dropOldWindows(cache, id, windowOf);
        }
        // What was made before this stream, or kept of the attempt before, is not told again.
        if (job.attempt !== attempt) {
          keepsText = job.windows.committed > 0;
          refetchResult(cache, id);
        }
      }
      attempt = job.attempt;
      patchJob(cache, job);
    } else if (message.event === 'progress') {
      applyProgress(cache, data as ProgressEvent);
    } else if (message.event === 'segments') {
      addSegments(cache, data as SegmentsEvent, windowOf, keepsText);
    } else if (message.event === 'end') {
      const { status } = data as EndEvent;
      updateJob(cache, id, (job) => ({ ...job, status }));
      refetch(cache, id);
    }
  });
}

/** A run that starts over has nothing yet; only an earlier whole text stays until it has. */
function dropOldWindows(cache: QueryClient, id: string, windowOf: WindowOf): void {
  windowOf.clear();
  const known = cache.getQueryData<TranscriptResult>(keys.result(id));
  if (!known || known.previous || known.segments.length === 0) return;
  cache.setQueryData(keys.result(id), emptyResult(id));
  refetchResult(cache, id);
}

function addSegments(
  cache: QueryClient,
  event: SegmentsEvent,
  windowOf: WindowOf,
  keepsText: boolean,
): void {
  const earlier = cache.getQueryData<TranscriptResult>(keys.result(event.job_id))?.previous;
  if (earlier && keepsText) {
    refetchResult(cache, event.job_id);
    return;
  }
  cache.setQueryData<TranscriptResult>(keys.result(event.job_id), (known) => {
    if (known?.complete) return known;
    // The first new text replaces an earlier one entirely.
    const base = !known || known.previous ? emptyResult(event.job_id) : known;
    const segments = mergeSegments(base.segments, event, windowOf);
    return { ...base, segments, text: joinText(segments) };
  });
}

function refetch(cache: QueryClient, id: string): void {
  void cache.invalidateQueries({ queryKey: keys.job(id) });
  void cache.invalidateQueries({ queryKey: keys.lists });
}
