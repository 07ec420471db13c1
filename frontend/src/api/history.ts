/** What happened to a job, newest first. */

import { infiniteQueryOptions } from '@tanstack/react-query';

import { HISTORY_PAGE_SIZE } from '@/config/constants';

import { http, unwrap } from './client';
import { keys } from './keys';

export function historyQuery(id: string) {
  return infiniteQueryOptions({
    queryKey: keys.history(id),
    queryFn: ({ pageParam, signal }) =>
      unwrap(
        http.GET('/api/jobs/{job_id}/history', {
          signal,
          params: {
            path: { job_id: id },
            query: { limit: HISTORY_PAGE_SIZE, cursor: pageParam ?? undefined },
          },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });
}
