import { Alert, Button, Group, Stack, Text } from '@mantine/core';
import { IconAlertTriangle, IconBan } from '@tabler/icons-react';

import type { Webhook } from '@/api/types';
import { fullDate } from '@/lib/format';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-webhooks';

interface Props {
  webhook: Webhook;
  pending: boolean;
  onSwitchOn: () => void;
}

/** Why nothing arrives, and the way on. */
export function WebhookNotice({ webhook, pending, onSwitchOn }: Props) {
  const reason = webhook.disabled_reason;
  if (reason) {
    return (
      <Alert
        color={reason === 'person' ? 'gray' : 'red'}
        variant="light"
        icon={<IconBan size={20} />}
        title={t(`webhooks.off.${reason}`)}
      >
        <Stack gap="sm">
          <Text size="sm">{t(`webhooks.off.${reason}Text`)}</Text>
          <Group>
            <Button size="xs" loading={pending} onClick={onSwitchOn}>
              {t('webhooks.switchOn')}
            </Button>
          </Group>
        </Stack>
      </Alert>
    );
  }
  if (!webhook.failing_since) return null;
  return (
    <Alert
      color="orange"
      variant="light"
      icon={<IconAlertTriangle size={20} />}
      title={t('webhooks.failingTitle', { when: fullDate(webhook.failing_since) })}
    >
      {t('webhooks.failingText')}
    </Alert>
  );
}
