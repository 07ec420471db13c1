/** A webhook in people's words. */

import type { Webhook, WebhookEvent } from '@/api/types';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-webhooks';

export const EVENTS: readonly WebhookEvent[] = [
  'job.completed',
  'job.failed',
  'job.cancelled',
  'transcript.updated',
];

type Known = WebhookEvent | 'webhook.test';

const isKnown = (type: string): type is Known =>
  type === 'webhook.test' || EVENTS.some((event) => event === type);

export function eventName(type: string): string {
  return isKnown(type) ? t(`webhooks.event.${type}`) : type;
}

export function hostOf(webhook: Pick<Webhook, 'url'>): string {
  return URL.canParse(webhook.url) ? new URL(webhook.url).host : webhook.url;
}

/** What it is called: by its description, else by where it is. */
export function titleOf(webhook: Pick<Webhook, 'url' | 'description'>): string {
  return webhook.description || hostOf(webhook);
}

/** In the order in which they are offered. */
export function eventsText({ events }: Pick<Webhook, 'events'>): string {
  if (!events.length) return t('webhooks.allEvents');
  return EVENTS.filter((event) => events.includes(event))
    .map(eventName)
    .join(' · ');
}
