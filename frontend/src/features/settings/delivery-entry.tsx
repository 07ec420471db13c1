import { Badge, Text, UnstyledButton } from '@mantine/core';
import {
  IconChevronRight,
  IconCircleCheck,
  IconClock,
  IconExclamationCircle,
} from '@tabler/icons-react';
import { useId, useState } from 'react';

import type { Delivery } from '@/api/types';
import { useNow } from '@/hooks/use-now';
import { ago } from '@/lib/format';
import { t, tn } from '@/lib/i18n';
import '@/lib/i18n/en-webhooks';

import { DeliveryDetail } from './delivery-detail';
import { eventName } from './webhook-text';
import classes from './webhooks.module.css';

const LOOK = {
  pending: { color: 'gray', Icon: IconClock },
  delivered: { color: 'green', Icon: IconCircleCheck },
  failed: { color: 'red', Icon: IconExclamationCircle },
} as const;

interface Props {
  workspaceId: string;
  webhookId: string;
  delivery: Delivery;
  enabled: boolean;
}

/** One line of the log, which opens. */
export function DeliveryEntry({ workspaceId, webhookId, delivery, enabled }: Props) {
  const [open, setOpen] = useState(false);
  const now = useNow();
  const panel = useId();
  const { color, Icon } = LOOK[delivery.state];
  const tries = tn('deliveries.tries', delivery.attempts);
  const next = delivery.attempts && delivery.next_attempt_at;
  return (
    <li className={classes.entry}>
      <UnstyledButton
        className={classes.delivery}
        aria-expanded={open}
        aria-controls={panel}
        onClick={() => {
          setOpen(!open);
        }}
      >
        <IconChevronRight size={18} className={classes.chevron} aria-hidden="true" />
        <span className={classes.grow}>
          <Text component="span" display="block" fw={500}>
            {eventName(delivery.type)}
          </Text>
          <Text component="span" display="block" size="sm" c="dimmed">
            {ago(delivery.created_at, now)} · {tries}
            {delivery.last_error ? ` · ${delivery.last_error}` : ''}
            {next ? ` · ${t('deliveries.next', { when: ago(next, now) })}` : ''}
          </Text>
        </span>
        <Badge color={color} leftSection={<Icon size={14} aria-hidden="true" />}>
          {t(`deliveries.state.${delivery.state}`)}
        </Badge>
      </UnstyledButton>
      <div id={panel} hidden={!open}>
        {open ? (
          <DeliveryDetail
            workspaceId={workspaceId}
            webhookId={webhookId}
            deliveryId={delivery.id}
            enabled={enabled}
          />
        ) : null}
      </div>
    </li>
  );
}
