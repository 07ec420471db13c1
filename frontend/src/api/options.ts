/** What this server can do: engines, models, languages, limits. */

import { queryOptions, useQuery } from '@tanstack/react-query';

import { http, unwrap } from './client';
import { keys } from './keys';

export const optionsQuery = queryOptions({
  queryKey: keys.options,
  queryFn: () => unwrap(http.GET('/api/options')),
  staleTime: 30_000,
});

export function useOptions() {
  return useQuery(optionsQuery);
}
