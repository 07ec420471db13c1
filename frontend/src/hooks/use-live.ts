import { useQueryClient, type QueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';

import { watchJob, watchJobs, type LiveOptions } from '@/api/live';

/** Holds one event stream open while mounted. Returns false while the line is down. */
function useStream(
  start: ((options: LiveOptions) => Promise<void>) | null,
  key: string,
  cache: QueryClient,
): boolean {
  const [up, setUp] = useState(true);
  useEffect(() => {
    if (!start) return;
    const abort = new AbortController();
    void start({ cache, signal: abort.signal, onLine: setUp });
    return () => {
      abort.abort(new DOMException('left the page', 'AbortError'));
    };
    // The key names the stream; `start` is a new function on every render.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [cache, key]);
  return up;
}

export function useLiveJobs(): boolean {
  return useStream(watchJobs, 'jobs', useQueryClient());
}

/** Follows one job while it runs; a new attempt opens a new stream. */
export function useLiveJob(id: string, active: boolean, attempt: number): boolean {
  return useStream(
    active ? (options) => watchJob(id, options) : null,
    active ? `${id}/${String(attempt)}` : 'off',
    useQueryClient(),
  );
}
