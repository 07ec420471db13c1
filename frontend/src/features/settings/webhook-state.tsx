import { Badge } from '@mantine/core';
import { IconAlertTriangle, IconBan, IconCircleCheck } from '@tabler/icons-react';

import type { Webhook } from '@/api/types';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-webhooks';

// Never by colour alone: each state has its sign and its word.
const LOOK = {
  on: { color: 'green', Icon: IconCircleCheck },
  failing: { color: 'orange', Icon: IconAlertTriangle },
  off: { color: 'gray', Icon: IconBan },
} as const;

export function WebhookState({ webhook }: { webhook: Webhook }) {
  const on = webhook.failing_since ? 'failing' : 'on';
  const state = webhook.enabled ? on : 'off';
  const { color, Icon } = LOOK[state];
  return (
    <Badge color={color} size="lg" leftSection={<Icon size={14} aria-hidden="true" />}>
      {t(`webhooks.state.${state}`)}
    </Badge>
  );
}
