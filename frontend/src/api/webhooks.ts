/** Webhooks of a workspace and the log of what was sent to them. */

import {
  infiniteQueryOptions,
  queryOptions,
  useMutation,
  useQueryClient,
} from '@tanstack/react-query';

import { http, unwrap } from './client';
import { keys } from './keys';
import type { DeliveryState, Webhook, WebhookEvent } from './types';

const BASE = '/api/webhooks/{webhook_id}';
const at = (webhook_id: string) => ({ params: { path: { webhook_id } } });
const POLL_MS = 3000;

export interface WebhookFields {
  url: string;
  description: string;
  events: WebhookEvent[];
}

export function webhooksQuery(workspace: string) {
  return queryOptions({
    queryKey: keys.webhooks(workspace),
    queryFn: () => unwrap(http.GET('/api/webhooks')),
  });
}

export function webhookQuery(id: string) {
  return queryOptions({
    queryKey: keys.webhook(id),
    queryFn: () => unwrap(http.GET(BASE, at(id))),
    refetchInterval: POLL_MS * 5,
  });
}

/** Newest first. Read again while something is on its way. */
export function deliveriesQuery(id: string, state: DeliveryState | null) {
  return infiniteQueryOptions({
    queryKey: keys.deliveries(id, state),
    initialPageParam: null as string | null,
    queryFn: ({ pageParam }) =>
      unwrap(
        http.GET(`${BASE}/deliveries`, {
          params: {
            path: { webhook_id: id },
            query: {
              ...(state ? { state } : {}),
              ...(pageParam ? { cursor: pageParam } : {}),
              limit: 25,
            },
          },
        }),
      ),
    getNextPageParam: (page) => page.next_cursor,
    refetchInterval: (query) =>
      query.state.data?.pages.some(({ items }) => items.some((one) => one.state === 'pending'))
        ? POLL_MS
        : POLL_MS * 5,
  });
}

export function deliveryQuery(webhook: string, id: string) {
  return queryOptions({
    queryKey: keys.delivery(webhook, id),
    queryFn: () =>
      unwrap(
        http.GET(`${BASE}/deliveries/{delivery_id}`, {
          params: { path: { webhook_id: webhook, delivery_id: id } },
        }),
      ),
    refetchInterval: (query) => (query.state.data?.state === 'pending' ? POLL_MS : false),
  });
}

export function useCreateWebhook(workspace: string) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (body: WebhookFields) => unwrap(http.POST('/api/webhooks', { body })),
    onSettled: () => cache.invalidateQueries({ queryKey: keys.webhooks(workspace) }),
  });
}

/** Everything that is done with one webhook; what shows it is read again after each. */
export function useWebhookCommands(workspace: string, id: string) {
  const cache = useQueryClient();
  const again = () =>
    Promise.all([
      cache.invalidateQueries({ queryKey: keys.webhooks(workspace) }),
      cache.invalidateQueries({ queryKey: keys.webhook(id) }),
    ]);
  const change = useMutation({
    mutationFn: (body: Partial<WebhookFields> & { enabled?: boolean }) =>
      // Only what is named changes; the generated type asks for what has a default.
      unwrap(http.PATCH(BASE, { ...at(id), body: body as Required<typeof body> })),
    onSuccess: (saved: Webhook) => {
      cache.setQueryData(keys.webhook(id), saved);
    },
    onSettled: again,
  });
  const remove = useMutation({
    mutationFn: () => unwrap(http.DELETE(BASE, at(id))),
    onSuccess: () => {
      cache.removeQueries({ queryKey: keys.webhook(id) });
      return cache.invalidateQueries({ queryKey: keys.webhooks(workspace) });
    },
  });
  const rotate = useMutation({
    mutationFn: () => unwrap(http.POST(`${BASE}/rotate`, at(id))),
    onSettled: again,
  });
  const test = useMutation({
    mutationFn: () => unwrap(http.POST(`${BASE}/test`, at(id))),
    onSettled: again,
  });
  const recover = useMutation({
    mutationFn: () => unwrap(http.POST(`${BASE}/recover`, { ...at(id), body: { since: null } })),
    onSettled: again,
  });
  const replay = useMutation({
    mutationFn: (delivery_id: string) =>
      unwrap(
        http.POST(`${BASE}/deliveries/{delivery_id}/replay`, {
          params: { path: { webhook_id: id, delivery_id } },
        }),
      ),
    onSettled: again,
  });
  return { change, remove, rotate, test, recover, replay };
}
