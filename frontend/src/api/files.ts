/** Media: where to play a recording from. */

import { useQuery } from '@tanstack/react-query';

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
