import { Checkbox, Input, Stack, Switch } from '@mantine/core';
import type { ReactNode } from 'react';

import type { WebhookEvent } from '@/api/types';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-webhooks';

import { EVENTS, eventName } from './webhook-text';

interface Props {
  /** Null: everything. */
  value: WebhookEvent[] | null;
  onChange: (value: WebhookEvent[] | null) => void;
  error?: ReactNode;
}

/** Everything, or these. */
export function EventChoice({ value, onChange, error }: Props) {
  return (
    <Input.Wrapper label={t('webhooks.events')} labelElement="div" error={error}>
      <Stack gap="xs" mt={6}>
        <Switch
          size="md"
          label={t('webhooks.allEvents')}
          checked={value === null}
          onChange={(event) => {
            onChange(event.currentTarget.checked ? null : [...EVENTS]);
          }}
        />
        {value ? (
          <Checkbox.Group
            aria-label={t('webhooks.events')}
            value={value}
            onChange={(chosen) => {
              onChange(EVENTS.filter((event) => chosen.includes(event)));
            }}
          >
            <Stack gap="xs" ps="md">
              {EVENTS.map((event) => (
                <Checkbox key={event} value={event} label={eventName(event)} />
              ))}
            </Stack>
          </Checkbox.Group>
        ) : null}
      </Stack>
    </Input.Wrapper>
  );
}
