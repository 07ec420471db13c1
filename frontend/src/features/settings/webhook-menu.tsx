import { ActionIcon, Menu, Text } from '@mantine/core';
import { modals } from '@mantine/modals';
import {
  IconDots,
  IconKey,
  IconPencil,
  IconPlayerPause,
  IconRefresh,
  IconTrash,
} from '@tabler/icons-react';

import type { Webhook } from '@/api/types';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-webhooks';

import { hostOf } from './webhook-text';

interface Props {
  webhook: Webhook;
  onEdit: () => void;
  onRotate: () => void;
  onSwitchOff: () => void;
  onRecover: () => void;
  onDelete: () => void;
}

export function WebhookMenu({
  webhook,
  onEdit,
  onRotate,
  onSwitchOff,
  onRecover,
  onDelete,
}: Props) {
  const askRotate = () => {
    modals.openConfirmModal({
      title: t('webhooks.rotateTitle'),
      children: <Text>{t('webhooks.rotateText')}</Text>,
      labels: { confirm: t('webhooks.rotate'), cancel: t('action.cancel') },
      onConfirm: onRotate,
    });
  };
  const askDelete = () => {
    modals.openConfirmModal({
      title: t('webhooks.deleteTitle'),
      children: <Text>{t('webhooks.deleteText', { host: hostOf(webhook) })}</Text>,
      labels: { confirm: t('webhooks.delete'), cancel: t('action.cancel') },
      confirmProps: { color: 'red' },
      onConfirm: onDelete,
    });
  };
  return (
    <Menu position="bottom-end" width={230}>
      <Menu.Target>
        <ActionIcon variant="default" size="lg" aria-label={t('action.more')}>
          <IconDots size={20} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconPencil size={18} />} onClick={onEdit}>
          {t('webhooks.edit')}
        </Menu.Item>
        <Menu.Item leftSection={<IconKey size={18} />} onClick={askRotate}>
          {t('webhooks.rotate')}
        </Menu.Item>
        {webhook.enabled ? (
          <>
            <Menu.Item leftSection={<IconRefresh size={18} />} onClick={onRecover}>
              {t('webhooks.recover')}
            </Menu.Item>
            <Menu.Item leftSection={<IconPlayerPause size={18} />} onClick={onSwitchOff}>
              {t('webhooks.switchOff')}
            </Menu.Item>
          </>
        ) : null}
        <Menu.Divider />
        <Menu.Item color="red" leftSection={<IconTrash size={18} />} onClick={askDelete}>
          {t('webhooks.delete')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
