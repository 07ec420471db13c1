import { Button, Group, Stack, TextInput } from '@mantine/core';
import { useState, type ReactNode, type SubmitEvent } from 'react';

import type { Webhook, WebhookEvent } from '@/api/types';
import type { WebhookFields } from '@/api/webhooks';
import { fieldError } from '@/components/ui/field-error';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-webhooks';

import { EventChoice } from './event-choice';

interface Props {
  /** What is changed; none: a new one. */
  webhook?: Webhook;
  pending: boolean;
  label: string;
  onSubmit: (fields: WebhookFields, refused: (error: unknown) => void) => void;
  onCancel: () => void;
}

/** Address, purpose and events of a webhook. */
export function WebhookForm({ webhook, pending, label, onSubmit, onCancel }: Props) {
  const [url, setUrl] = useState(webhook?.url ?? '');
  const [description, setDescription] = useState(webhook?.description ?? '');
  const [events, setEvents] = useState<WebhookEvent[] | null>(
    webhook?.events.length ? webhook.events : null,
  );
  const [error, setError] = useState<ReactNode>(null);
  const [eventsError, setEventsError] = useState<ReactNode>(null);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setError(url.trim() ? null : t('webhooks.urlMissing'));
    setEventsError(events?.length === 0 ? t('webhooks.eventsMissing') : null);
    if (!url.trim() || events?.length === 0) return;
    onSubmit(
      { url: url.trim(), description: description.trim(), events: events ?? [] },
      (failure) => {
        setError(fieldError(failure));
      },
    );
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        <TextInput
          label={t('webhooks.url')}
          description={t('webhooks.urlHint')}
          type="url"
          inputMode="url"
          autoComplete="off"
          placeholder="https://"
          size="md"
          maxLength={2048}
          data-autofocus
          value={url}
          error={error}
          onChange={(event) => {
            setError(null);
            setUrl(event.currentTarget.value);
          }}
        />
        <TextInput
          label={t('webhooks.description')}
          size="md"
          maxLength={200}
          value={description}
          onChange={(event) => {
            setDescription(event.currentTarget.value);
          }}
        />
        <EventChoice
          value={events}
          error={eventsError}
          onChange={(chosen) => {
            setEventsError(null);
            setEvents(chosen);
          }}
        />
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={onCancel}>
            {t('action.cancel')}
          </Button>
          <Button type="submit" loading={pending}>
            {label}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
