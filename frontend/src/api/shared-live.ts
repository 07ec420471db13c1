/** The text of a shared transcript while it is being made. */

import type { QueryClient } from '@tanstack/react-query';

import { readEvents } from '@/lib/sse';

import { emptyResult, joinText, mergeSegments, type WindowOf } from './segments';
import { baseOf, refetchShared, sharedFetch, sharedResultKey, type SharedSource } from './shared';
import type { Job, ProgressEvent, SegmentsEvent, TranscriptResult } from './types';

/** What guests learn of a running job. */
export type SharedProgress = Pick<Job, 'status' | 'progress' | 'stage' | 'eta_seconds'>;

interface Options {
  cache: QueryClient;
  signal: AbortSignal;
  onProgress: (change: Partial<SharedProgress>) => void;
}

/** Ends with the job, and soon after what was shared is taken back. */
export async function watchShared(source: SharedSource, options: Options): Promise<void> {
  const { cache, signal, onProgress } = options;
  const windowOf: WindowOf = new Map();
  await readEvents({
    url: `${baseOf(source)}/events`,
    fetch: sharedFetch(source),
    signal,
    onMessage: ({ event, data }) => {
      if (event === 'status') onProgress(JSON.parse(data) as SharedProgress);
      else if (event === 'progress') onProgress(JSON.parse(data) as ProgressEvent);
      else if (event === 'segments')
        add(cache, source, JSON.parse(data) as SegmentsEvent, windowOf);
      else if (event === 'end' || event === 'resync') refetchShared(cache, source);
    },
  });
  if (!signal.aborted) refetchShared(cache, source);
}

function add(cache: QueryClient, source: SharedSource, event: SegmentsEvent, windowOf: WindowOf) {
  cache.setQueryData<TranscriptResult>(sharedResultKey(source), (known) => {
    if (known?.complete) return known;
    const base = known ?? emptyResult(event.job_id);
    const segments = mergeSegments(base.segments, event, windowOf);
    return { ...base, segments, text: joinText(segments) };
  });
}
