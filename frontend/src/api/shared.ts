/** Reading what was shared: by a link, without an account, or with the account that is signed in. Both alike. */

import {
  infiniteQueryOptions,
  queryOptions,
  useQuery,
  type QueryClient,
} from '@tanstack/react-query';

import { nameFromDisposition, saveBlob } from '@/lib/download';
import { ApiError, errorFrom, NetworkError } from '@/lib/errors';

import { authFetch, http, unwrap } from './client';
import { keys } from './keys';
import type { DownloadFormat } from './jobs';
import type { Peaks, SharedMedia, SharedPage, TranscriptResult } from './types';

export type SharedSource = { kind: 'link'; token: string } | { kind: 'account'; jobId: string };

export function baseOf(source: SharedSource): string {
  return source.kind === 'link'
    ? `/api/shares/${encodeURIComponent(source.token)}`
    : `/api/shared/${encodeURIComponent(source.jobId)}`;
}

/** A guest has no account: nothing is renewed, and no sign-in ends, because a link is locked. */
async function guestFetch(url: string, init?: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { credentials: 'same-origin', ...init });
  } catch (error) {
    if (init?.signal?.aborted) throw error;
    throw new NetworkError(error);
  }
}

export function sharedFetch(source: SharedSource) {
  return source.kind === 'link' ? guestFetch : authFetch;
}

async function read<T>(source: SharedSource, path: string): Promise<T> {
  const response = await sharedFetch(source)(`${baseOf(source)}${path}`);
  if (!response.ok) throw await errorFrom(response);
  return (await response.json()) as T;
}

/** How often an open page asks whether it is still shared, in ms. */
const STILL_SHARED_MS = 15_000;

export function sharedPageQuery(token: string) {
  return queryOptions({
    queryKey: keys.shared(baseOf({ kind: 'link', token })),
    queryFn: () => read<SharedPage>({ kind: 'link', token }, ''),
    refetchInterval: (query) => (query.state.status === 'error' ? false : STILL_SHARED_MS),
  });
}

export function sharedJobQuery(jobId: string) {
  return queryOptions({
    queryKey: keys.shared(baseOf({ kind: 'account', jobId })),
    queryFn: () =>
      unwrap(http.GET('/api/shared/{job_id}', { params: { path: { job_id: jobId } } })),
    refetchInterval: (query) => (query.state.status === 'error' ? false : STILL_SHARED_MS),
  });
}

/** Gives the password; a cookie remembers it for this link. */
export async function unlockShare(token: string, password: string): Promise<void> {
  const response = await guestFetch(`${baseOf({ kind: 'link', token })}/unlock`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ password }),
  });
  if (!response.ok) throw await errorFrom(response);
}

export const sharedResultKey = (source: SharedSource) =>
  [...keys.shared(baseOf(source)), 'result'] as const;

export function sharedResultQuery(source: SharedSource) {
  return queryOptions({
    queryKey: sharedResultKey(source),
    queryFn: () => read<TranscriptResult>(source, '/result?partial=true'),
    staleTime: Infinity,
    refetchOnWindowFocus: false,
  });
}

const GONE = { url: '', content_type: '', rendition: 'none' as const, retryMs: 0, gone: true };

/** Where to hear it; `pending` while the copy for guests is made, `failed` where there is nothing to hear, `gone` where
    the recording is not kept any more. */
export function useSharedMedia(source: SharedSource) {
  return useQuery({
    queryKey: [...keys.shared(baseOf(source)), 'media'],
    queryFn: async () => {
      try {
        const media = await read<SharedMedia>(source, '/media');
        return { ...media, rendition: 'none' as const, retryMs: 0 };
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return GONE;
        if (!(error instanceof ApiError) || error.status !== 409) throw error;
        const pending = error.code === 'media_pending';
        const retryMs = (error.retryAfter ?? 5) * 1000;
        const rendition = pending ? ('pending' as const) : ('failed' as const);
        return { url: '', content_type: '', rendition, retryMs };
      }
    },
    staleTime: Infinity,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
    refetchInterval: (query) => query.state.data?.retryMs || false,
  });
}

export function useSharedPeaks(source: SharedSource) {
  return useQuery({
    queryKey: [...keys.shared(baseOf(source)), 'peaks'],
    queryFn: async () => {
      try {
        return await read<Peaks>(source, '/peaks');
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return null;
        throw error;
      }
    },
    staleTime: Infinity,
    retry: false,
  });
}

export async function downloadShared(source: SharedSource, format: DownloadFormat): Promise<void> {
  const response = await sharedFetch(source)(`${baseOf(source)}/download?format=${format}`);
  if (!response.ok) throw await errorFrom(response);
  const name = nameFromDisposition(response.headers.get('content-disposition'));
  saveBlob(await response.blob(), name ?? `transcript.${format}`);
}

/** The sound as a file: its address answers as a download. */
export const soundToSave = (source: SharedSource) =>
  read<SharedMedia>(source, '/media?download=true').then(({ url }) => url);

export const sharedWithMeQuery = infiniteQueryOptions({
  queryKey: keys.sharedWithMe,
  queryFn: ({ pageParam }) =>
    unwrap(http.GET('/api/shared', { params: { query: { cursor: pageParam ?? undefined } } })),
  initialPageParam: null as string | null,
  getNextPageParam: (page) => page.next_cursor,
});

export async function isSharedWithMe(jobId: string): Promise<boolean> {
  const path = { job_id: jobId };
  const { response } = await http.GET('/api/shared/{job_id}', { params: { path } });
  return response.ok;
}

export const nameSharedSpeaker = (jobId: string, speaker: string, name: string) =>
  unwrap(
    http.PATCH('/api/shared/{job_id}/speakers/{speaker}', {
      params: { path: { job_id: jobId, speaker } },
      body: { name },
    }),
  );

/** Asks again whether it is shared, and for the text. */
export function refetchShared(cache: QueryClient, source: SharedSource): void {
  void cache.invalidateQueries({ queryKey: keys.shared(baseOf(source)), exact: true });
  void cache.invalidateQueries({ queryKey: sharedResultKey(source) });
}
