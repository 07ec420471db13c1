import { Button, Group, Stack, Text } from '@mantine/core';
import { modals } from '@mantine/modals';

import { useApiKeyCommands } from '@/api/members';
import type { ApiKey } from '@/api/types';
import { notifyError } from '@/components/ui/notify';
import { useNow } from '@/hooks/use-now';
import { ago, fullDate } from '@/lib/format';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-account';

function expiry(at: string, now: number): string {
  return Date.parse(at) > now
    ? t('apiKeys.expiresOn', { when: fullDate(at) })
    : t('apiKeys.expired', { when: fullDate(at) });
}

/** Keys of a workspace, by how they begin. */
export function KeyList({ workspaceId, items }: { workspaceId: string; items: ApiKey[] }) {
  const { revoke } = useApiKeyCommands(workspaceId);
  const now = useNow();
  const ask = (key: ApiKey) => {
    modals.openConfirmModal({
      title: t('apiKeys.revokeTitle'),
      children: <Text>{t('apiKeys.revokeText', { name: key.name })}</Text>,
      labels: { confirm: t('apiKeys.revoke'), cancel: t('action.cancel') },
      confirmProps: { color: 'red' },
      onConfirm: () => {
        revoke.mutate(key.id, {
          onError: (error) => {
            notifyError(error);
          },
        });
      },
    });
  };
  return (
    <Stack component="ul" gap="md" p={0} m={0} style={{ listStyle: 'none' }}>
      {items.map((key) => (
        <Group component="li" key={key.id} justify="space-between" wrap="nowrap" gap="sm">
          <div style={{ minWidth: 0 }}>
            <Text fw={500} truncate>
              {key.name}
            </Text>
            <Text size="sm" c="dimmed">
              <span className="tabular">{key.prefix}…</span> ·{' '}
              {key.scopes.includes('write') ? t('apiKeys.writes') : t('apiKeys.reads')} ·{' '}
              {key.user.email} ·{' '}
              {key.last_used_at
                ? t('apiKeys.used', { when: ago(key.last_used_at) })
                : t('apiKeys.neverUsed')}
              {key.expires_at ? ` · ${expiry(key.expires_at, now)}` : ''}
            </Text>
          </div>
          <Button
            variant="default"
            size="xs"
            style={{ flexShrink: 0 }}
            aria-label={t('apiKeys.revokeOf', { name: key.name })}
            onClick={() => {
              ask(key);
            }}
          >
            {t('apiKeys.revoke')}
          </Button>
        </Group>
      ))}
    </Stack>
  );
}
