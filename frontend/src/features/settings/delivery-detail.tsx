import { Button, Code, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';

import type { DeliveryAttempt } from '@/api/types';
import { deliveryQuery, useWebhookCommands } from '@/api/webhooks';
import { ErrorState } from '@/components/ui/error-state';
import { notifyDone, notifyError } from '@/components/ui/notify';
import { fullDate } from '@/lib/format';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-webhooks';

import classes from './webhooks.module.css';

interface Props {
  workspaceId: string;
  webhookId: string;
  deliveryId: string;
  enabled: boolean;
}

/** The body that was sent and every attempt with what came back. */
export function DeliveryDetail({ workspaceId, webhookId, deliveryId, enabled }: Props) {
  const found = useQuery(deliveryQuery(webhookId, deliveryId));
  const { replay } = useWebhookCommands(workspaceId, webhookId);
  if (found.isError && !found.data) {
    return <ErrorState error={found.error} onRetry={() => void found.refetch()} />;
  }
  if (!found.data) return <Skeleton height={120} mx="lg" mb="lg" />;
  const { payload, log, message_id } = found.data;
  return (
    <Stack className={classes.detail} gap="md">
      <div>
        <Title order={3} size="sm" mb={4}>
          {t('deliveries.attempts')}
        </Title>
        {log.length === 0 ? <Text size="sm">{t('deliveries.none')}</Text> : null}
        <ol reversed className={classes.attempts}>
          {log.map((attempt) => (
            <Attempt key={attempt.number} attempt={attempt} />
          ))}
        </ol>
      </div>
      <div>
        <Title order={3} size="sm" mb={4}>
          {t('deliveries.body')}
        </Title>
        <Code block className={classes.answer} tabIndex={0}>
          {JSON.stringify(payload, null, 2)}
        </Code>
        <Text size="sm" c="dimmed" mt={4}>
          {t('deliveries.messageId')}: <span className="tabular">{message_id}</span>
        </Text>
      </div>
      <Group>
        <Button
          variant="default"
          size="xs"
          leftSection={<IconRefresh size={16} />}
          disabled={!enabled}
          loading={replay.isPending}
          onClick={() => {
            replay.mutate(deliveryId, {
              onError: (error) => {
                notifyError(error);
              },
              onSuccess: () => {
                notifyDone(t('deliveries.replayed'));
              },
            });
          }}
        >
          {t('deliveries.replay')}
        </Button>
      </Group>
    </Stack>
  );
}

function Attempt({ attempt }: { attempt: DeliveryAttempt }) {
  const what =
    attempt.status === null
      ? (attempt.error ?? '')
      : t('deliveries.answered', { status: attempt.status });
  return (
    <li>
      <Text size="sm">
        {t('deliveries.attempt', { number: attempt.number })} · {fullDate(attempt.at)} · {what} ·{' '}
        {t('deliveries.took', { ms: attempt.duration_ms })}
      </Text>
      {attempt.response ? (
        <Code block className={classes.answer} tabIndex={0}>
          {attempt.response}
        </Code>
      ) : null}
    </li>
  );
}
