/** Event streams into the query cache: one stream for a list page, one for an open transcript. */

import type { QueryClient } from '@tanstack/react-query';

import { readEvents, type SseMessage } from '@/lib/sse';

import { patchJob, updateJob } from './cache';
import { authFetch } from './client';
import { keys } from './keys';
import { emptyResult, joinText, mergeSegments, type WindowOf } from './segments';
import type { EndEvent, Job, ProgressEvent, SegmentsEvent, TranscriptResult } from './types';

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
    else if (message.event === 'end') void cache.invalidateQueries({ queryKey: keys.lists });
  });
}

/** One job with its growing text. */
export function watchJob(id: string, options: LiveOptions): Promise<void> {
  const { cache } = options;
  const windowOf: WindowOf = new Map();
  let attempt: number | null = null;
  return stream(`/api/jobs/${encodeURIComponent(id)}/events`, options, (message) => {
    const data = parse(message);
    if (message.event === 'resync') refetch(cache, id);
    if (!data) return;
    if (message.event === 'status') {
      const job = data as Job;
      // A new attempt makes its text anew.
      if (attempt !== null && job.attempt !== attempt) {
        windowOf.clear();
        cache.setQueryData(keys.result(id), emptyResult(id));
      }
      attempt = job.attempt;
      patchJob(cache, job);
    } else if (message.event === 'progress') {
      applyProgress(cache, data as ProgressEvent);
    } else if (message.event === 'segments') {
      addSegments(cache, data as SegmentsEvent, windowOf);
    } else if (message.event === 'end') {
      const { status } = data as EndEvent;
      updateJob(cache, id, (job) => ({ ...job, status }));
      refetch(cache, id);
    }
  });
}

function addSegments(cache: QueryClient, event: SegmentsEvent, windowOf: WindowOf): void {
  cache.setQueryData<TranscriptResult>(keys.result(event.job_id), (known) => {
    const base = known ?? emptyResult(event.job_id);
    if (base.complete) return base;
    const segments = mergeSegments(base.segments, event, windowOf);
    return { ...base, segments, text: joinText(segments) };
  });
}

function refetch(cache: QueryClient, id: string): void {
  void cache.invalidateQueries({ queryKey: keys.job(id) });
  void cache.invalidateQueries({ queryKey: keys.lists });
}
