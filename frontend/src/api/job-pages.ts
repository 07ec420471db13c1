/** Pages of a tab. The server filters by one status; "running" is two of them, one after the other. */

import { JOBS_PAGE_SIZE } from '@/config/constants';

import { http, unwrap } from './client';
import type { JobFilter, JobTab } from './keys';
import type { Job, JobPage, JobStatus } from './types';

const TAB_STATUS: Record<JobTab, readonly (JobStatus | undefined)[]> = {
  all: [undefined],
  running: ['processing', 'pending'],
  completed: ['completed'],
  failed: ['failed'],
  cancelled: ['cancelled'],
};

/** The statuses that a tab means; none: all. */
export function statusesOf(tab: JobTab): JobStatus[] {
  return TAB_STATUS[tab].filter((status) => status !== undefined);
}

/** Where the next page begins. */
export interface PageParam {
  /** Place in the tab's statuses. */
  step: number;
  cursor: string | null;
}

export interface TabPage {
  items: Job[];
  next: PageParam | null;
}

export const FIRST_PAGE: PageParam = { step: 0, cursor: null };

export async function fetchTabPage(
  filter: JobFilter,
  from: PageParam,
  signal: AbortSignal,
): Promise<TabPage> {
  const statuses = TAB_STATUS[filter.tab];
  const items: Job[] = [];
  let next: PageParam | null = from;
  while (next && items.length < JOBS_PAGE_SIZE) {
    const { step, cursor }: PageParam = next;
    const page: JobPage = await unwrap(
      http.GET('/api/jobs', {
        signal,
        params: {
          query: {
            limit: JOBS_PAGE_SIZE,
            status: statuses[step] && [statuses[step]],
            q: filter.q || undefined,
            cursor: cursor ?? undefined,
          },
        },
      }),
    );
    items.push(...page.items);
    if (page.next_cursor) next = { step, cursor: page.next_cursor };
    else next = step + 1 < statuses.length ? { step: step + 1, cursor: null } : null;
  }
  return { items, next };
}
