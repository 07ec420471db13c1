import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';

import { baseOf, type SharedSource } from '@/api/shared';
import { watchShared, type SharedProgress } from '@/api/shared-live';

/** Follows what was shared while it is being made: how far it is, over what was known when the page opened. */
export function useLiveShared(source: SharedSource, active: boolean): Partial<SharedProgress> {
  const cache = useQueryClient();
  const [live, setLive] = useState<Partial<SharedProgress>>({});
  const key = baseOf(source);
  useEffect(() => {
    if (!active) return;
    const abort = new AbortController();
    void watchShared(source, {
      cache,
      signal: abort.signal,
      onProgress: ({ status, progress, stage, eta_seconds }) => {
        const change = { status, progress, stage, eta_seconds };
        const told = Object.entries(change).filter(([, value]) => value !== undefined);
        setLive((known) => ({ ...known, ...Object.fromEntries(told) }));
      },
    });
    return () => {
      abort.abort(new DOMException('left the page', 'AbortError'));
    };
    // The key names the stream; `source` may be a new object on every render.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [cache, key, active]);
  return live;
}
