/** Jobs: reading lists and single jobs, and what can be done with them. */

import {
  infiniteQueryOptions,
  queryOptions,
  useMutation,
  useQueryClient,
} from '@tanstack/react-query';

import { RECENT_JOBS } from '@/config/constants';
import { errorFrom } from '@/lib/errors';
import { nameFromDisposition, saveBlob } from '@/lib/download';

import { patchJob, dropJob } from './cache';
import { authFetch, http, unwrap } from './client';
import { FIRST_PAGE, fetchTabPage, statusesOf } from './job-pages';
import { keys, type JobFilter } from './keys';
import { once } from './once';
import { keepNewer } from './segments';
import type { JobChoices } from './choices';
import type { Job, JobCreate, JobRetry, TranscriptResult } from './types';

export function jobsQuery(filter: JobFilter) {
  return infiniteQueryOptions({
    queryKey: keys.list(filter),
    queryFn: ({ pageParam, signal }) => fetchTabPage(filter, pageParam, signal),
    initialPageParam: FIRST_PAGE,
    getNextPageParam: (page) => page.next,
  });
}

export const recentQuery = queryOptions({
  queryKey: keys.recent,
  queryFn: () => unwrap(http.GET('/api/jobs', { params: { query: { limit: RECENT_JOBS } } })),
});

/** How many jobs a list has, counted up to a limit. */
export function countQuery(filter: JobFilter) {
  return queryOptions({
    queryKey: keys.count(filter),
    queryFn: () =>
      unwrap(
        http.GET('/api/jobs/count', {
          params: { query: { status: statusesOf(filter.tab), q: filter.q || undefined } },
        }),
      ),
    staleTime: 0,
  });
}

export function jobQuery(id: string) {
  return queryOptions({
    queryKey: keys.job(id),
    queryFn: () => unwrap(http.GET('/api/jobs/{job_id}', { params: { path: { job_id: id } } })),
  });
}

/** What there is of the text, in any state of the job. */
export function resultQuery(id: string) {
  return queryOptions({
    queryKey: keys.result(id),
    queryFn: async ({ client }): Promise<TranscriptResult> => {
      const key = keys.result(id);
      const before = client.getQueryData<TranscriptResult>(key);
      const fetched = await unwrap(
        http.GET('/api/jobs/{job_id}/result', {
          params: { path: { job_id: id }, query: { partial: true } },
        }),
      );
      // Text that the stream brought while this answer was on its way must not be lost.
      const now = client.getQueryData<TranscriptResult>(key);
      return !now || now === before ? fetched : keepNewer(fetched, now);
    },
    staleTime: Infinity,
    refetchOnWindowFocus: false,
  });
}

/** Nothing named: the server chooses. */
export type EngineChoice = JobRetry;

export function useJobActions() {
  const cache = useQueryClient();
  const onJob = (job: Job) => {
    patchJob(cache, job);
    void cache.invalidateQueries({ queryKey: keys.lists });
  };
  const cancel = useMutation({
    mutationFn: (id: string) =>
      unwrap(http.POST('/api/jobs/{job_id}/cancel', { params: { path: { job_id: id } } })),
    onSuccess: onJob,
  });
  const retry = useMutation({
    mutationFn: ({ id, ...choice }: EngineChoice & { id: string }) =>
      once(['retry', id, choice], (headers) =>
        unwrap(
          http.POST('/api/jobs/{job_id}/retry', {
            params: { path: { job_id: id } },
            body: choice,
            headers,
          }),
        ),
      ),
    onSuccess: onJob,
  });
  const hurry = useMutation({
    mutationFn: (id: string) =>
      unwrap(http.POST('/api/jobs/{job_id}/retry-now', { params: { path: { job_id: id } } })),
    onSuccess: onJob,
  });
  const create = useMutation({
    mutationFn: (body: JobChoices & ({ file_id: string } | { url: string })) =>
      once(['create', body], (headers) =>
        unwrap(http.POST('/api/jobs', { body: body as JobCreate, headers })),
      ),
    onSuccess: onJob,
  });
  const remove = useMutation({
    mutationFn: (id: string) =>
      unwrap(http.DELETE('/api/jobs/{job_id}', { params: { path: { job_id: id } } })),
    onSuccess: (_, id) => {
      dropJob(cache, id);
    },
  });
  return { cancel, retry, hurry, create, remove };
}

export type DownloadFormat = 'txt' | 'srt' | 'vtt' | 'json';

/** Fetched with the token (a plain link could not carry it), saved under the server's name. */
export async function downloadTranscript(id: string, format: DownloadFormat): Promise<void> {
  const url = `/api/jobs/${encodeURIComponent(id)}/download?format=${format}`;
  const response = await authFetch(url);
  if (!response.ok) throw await errorFrom(response);
  const name = nameFromDisposition(response.headers.get('content-disposition'));
  saveBlob(await response.blob(), name ?? `transcript.${format}`);
}
