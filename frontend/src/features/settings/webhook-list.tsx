import { Group, Stack, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';

import type { Webhook } from '@/api/types';
import { useNow } from '@/hooks/use-now';
import { ago } from '@/lib/format';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-webhooks';

import { WebhookState } from './webhook-state';
import { eventsText, titleOf } from './webhook-text';
import classes from './webhooks.module.css';

export function WebhookList({ items }: { items: Webhook[] }) {
  const now = useNow();
  return (
    <Stack component="ul" gap={0} p={0} m={0} className={classes.list}>
      {items.map((webhook) => (
        <Group component="li" key={webhook.id} wrap="nowrap" gap="sm" className={classes.row}>
          <div className={classes.grow}>
            <Link
              to="/settings/webhooks/$webhookId"
              params={{ webhookId: webhook.id }}
              className={classes.name}
            >
              {titleOf(webhook)}
            </Link>
            <Text size="sm" c="dimmed" truncate>
              {webhook.url}
            </Text>
            <Text size="sm" c="dimmed">
              {eventsText(webhook)} ·{' '}
              {webhook.last_success_at
                ? t('webhooks.lastSuccess', { when: ago(webhook.last_success_at, now) })
                : t('webhooks.neverArrived')}
            </Text>
          </div>
          <WebhookState webhook={webhook} />
        </Group>
      ))}
    </Stack>
  );
}
