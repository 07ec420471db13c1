/** One cache for all server state. */

import { QueryClient } from '@tanstack/react-query';

import { ApiError } from '@/lib/errors';

export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 15_000,
        refetchOnWindowFocus: true,
        retry: (failures, error) => {
          // What the server has judged is not asked again; a hiccup is.
          if (error instanceof ApiError && error.status < 500 && error.status !== 429) return false;
          return failures < 2;
        },
      },
      mutations: { retry: false },
    },
  });
}

export const queryClient = makeQueryClient();
