/** Media: where to play a recording from, and how loud it is. */

import { keepPreviousData, useQuery } from '@tanstack/react-query';

import { ApiError } from '@/lib/errors';

import { http, unwrap } from './client';
import { keys } from './keys';

/** The short-lived URL of a recording; asked again while a playable copy is being made. */
export function useMediaUrl(fileId: string | undefined) {
  return useQuery({
    queryKey: keys.media(fileId ?? ''),
    queryFn: () =>
      unwrap(http.GET('/api/files/{file_id}/url', { params: { path: { file_id: fileId ?? '' } } })),
    enabled: Boolean(fileId),
    // A new URL restarts the media element, so it is only asked for when the old one fails.
    staleTime: Infinity,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
    gcTime: 60_000,
    refetchInterval: (query) => (query.state.data?.rendition === 'pending' ? 5000 : false),
  });
}

/** How often a job at work is asked whether it has read the recording. */
const PEAKS_POLL_MS = 5000;

/** The loudness of a recording; null where no job has read it yet, which is asked again while one is at it. */
export function usePeaks(fileId: string | null, jobActive: boolean) {
  return useQuery({
    enabled: fileId !== null,
    // At the end of a job a "not yet" is no answer any more.
    queryKey: keys.peaks(fileId ?? '', jobActive),
    queryFn: async () => {
      try {
        return await unwrap(
          http.GET('/api/files/{file_id}/peaks', { params: { path: { file_id: fileId ?? '' } } }),
        );
      } catch (error) {
        // Not read yet, or an older recording: there is a plain bar instead.
        if (error instanceof ApiError && error.status === 404) return null;
        throw error;
      }
    },
    placeholderData: keepPreviousData,
    staleTime: Infinity,
    retry: false,
    refetchInterval: (query) => (jobActive && query.state.data === null ? PEAKS_POLL_MS : false),
  });
}
