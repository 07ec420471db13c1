/** Writes what the server tells (events, replies) into every place of the cache that shows it. */

import type { InfiniteData, QueryClient } from '@tanstack/react-query';

import { LIST_REFRESH_MS } from '@/config/constants';
import { throttled } from '@/lib/throttle';

import { keys } from './keys';
import { setAside } from './segments';
import { isActive, type Job, type TranscriptResult } from './types';

interface JobPage {
  items: Job[];
}

type Lists = InfiniteData<JobPage> | JobPage;

function mapPages(data: Lists | undefined, change: (page: JobPage) => JobPage): Lists | undefined {
  if (!data) return data;
  if ('pages' in data) return { ...data, pages: data.pages.map(change) };
  return change(data);
}

function mapLists(cache: QueryClient, change: (page: JobPage) => JobPage): void {
  cache.setQueriesData<Lists>({ queryKey: keys.lists }, (data) => mapPages(data, change));
}

/** True when some loaded list shows this job. */
function isListed(cache: QueryClient, id: string): boolean {
  return cache.getQueriesData<Lists>({ queryKey: keys.lists }).some(([, data]) => {
    if (!data) return false;
    const pages = 'pages' in data ? data.pages : [data];
    return pages.some((page) => page.items.some((item) => item.id === id));
  });
}

/** Asks for the lists again; not once an event where hundreds come in a row. */
export const refreshLists = throttled((cache: QueryClient) => {
  void cache.invalidateQueries({ queryKey: keys.lists });
}, LIST_REFRESH_MS);

/** Merges a change of one job. */
export function updateJob(cache: QueryClient, id: string, change: (job: Job) => Job): void {
  mapLists(cache, (page) =>
    page.items.some((item) => item.id === id)
      ? { ...page, items: page.items.map((item) => (item.id === id ? change(item) : item)) }
      : page,
  );
  cache.setQueryData<Job>(keys.job(id), (job) => (job ? change(job) : job));
}

/** Puts a whole job in place. Lists that filter by status are asked again when it moved. */
export function patchJob(cache: QueryClient, job: Job): void {
  const before = cache.getQueryData<Job>(keys.job(job.id));
  let moved = !isListed(cache, job.id);
  let turned = false;
  updateJob(cache, job.id, (known) => {
    if (known.status !== job.status) moved = true;
    if (isActive(known) !== isActive(job)) turned = true;
    return job;
  });
  if (turned) {
    if (isActive(job)) keepEarlierText(cache, job.id);
    refetchResult(cache, job.id);
  }
  if (!before) cache.setQueryData(keys.job(job.id), job);
  void cache.invalidateQueries({ queryKey: keys.history(job.id) });
  if (moved) refreshLists(cache);
}

/** A run has begun: a whole text in the cache is that of the run before. */
export function keepEarlierText(cache: QueryClient, id: string): void {
  cache.setQueryData<TranscriptResult>(keys.result(id), (known) =>
    known?.complete ? setAside(known) : known,
  );
}

export function refetchResult(cache: QueryClient, id: string): void {
  void cache.invalidateQueries({ queryKey: keys.result(id) });
}

export function dropJob(cache: QueryClient, id: string): void {
  mapLists(cache, (page) => ({ ...page, items: page.items.filter((item) => item.id !== id) }));
  cache.removeQueries({ queryKey: keys.job(id) });
  refreshLists(cache);
}
