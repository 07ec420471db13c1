/** Media: where to play a recording from, and how loud it is. */

import { useQuery } from '@tanstack/react-query';

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

/** The loudness of a recording; null where no job has read it yet. */
export function usePeaks(fileId: string, enabled: boolean) {
  return useQuery({
    queryKey: keys.peaks(fileId),
    queryFn: async () => {
      try {
        return await unwrap(
          http.GET('/api/files/{file_id}/peaks', { params: { path: { file_id: fileId } } }),
        );
      } catch (error) {
        // Not read yet, or an older recording: there is a plain bar instead.
        if (error instanceof ApiError && error.status === 404) return null;
        throw error;
      }
    },
    enabled,
    staleTime: Infinity,
    retry: false,
  });
}
