import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';

import { runBulk, type BulkTarget } from '@/api/bulk';
import { dropJob, refreshLists } from '@/api/cache';
import { keys } from '@/api/keys';
import type { BulkAction, BulkItem } from '@/api/types';

import { reportBulk } from './bulk-report';

export interface BulkProgress {
  done: number;
  /** Null where it was not counted. */
  total: number | null;
}

/** Runs one action over many jobs and reports. `onEnd` is told what was done, and whether nothing is left. */
export function useBulk(onEnd: (done: readonly string[], ended: boolean) => void) {
  const cache = useQueryClient();
  const [progress, setProgress] = useState<BulkProgress | null>(null);
  const stop = useRef<AbortController | null>(null);

  const start = async (action: BulkAction, target: BulkTarget, total: number | null) => {
    const abort = new AbortController();
    stop.current = abort;
    const items: BulkItem[] = [];
    let error: unknown = null;
    setProgress({ done: 0, total });
    try {
      await runBulk({
        action,
        target,
        signal: abort.signal,
        onStep: (step) => {
          items.push(...step);
          setProgress({ done: items.length, total });
          if (action === 'delete') {
            for (const item of step) if (item.outcome === 'done') dropJob(cache, item.id);
          }
        },
      });
    } catch (thrown) {
      error = thrown;
    }
    setProgress(null);
    refreshLists(cache);
    for (const item of items) void cache.invalidateQueries({ queryKey: keys.job(item.id) });
    const done = items.filter((item) => item.outcome === 'done').map((item) => item.id);
    onEnd(done, error === null && !abort.signal.aborted);
    reportBulk({ action, items, error });
  };

  return {
    progress,
    start: (action: BulkAction, target: BulkTarget, total: number | null) =>
      void start(action, target, total),
    stop: () => stop.current?.abort(),
  };
}
