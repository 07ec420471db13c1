import { Badge, Button, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';

import { devicesQuery, useSignOutDevice } from '@/api/account';
import { ErrorState } from '@/components/ui/error-state';
import { notifyError } from '@/components/ui/notify';
import { deviceName } from '@/lib/device-name';
import { ago } from '@/lib/format';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-account';

/** Where the account is signed in. */
export function DevicesSection() {
  const devices = useQuery(devicesQuery);
  const signOut = useSignOutDevice();
  const end = (id: string | null) => {
    signOut.mutate(id, {
      onError: (error) => {
        notifyError(error);
      },
    });
  };
  if (devices.isError && !devices.data) {
    return <ErrorState error={devices.error} onRetry={() => void devices.refetch()} />;
  }
  if (!devices.data) return <Skeleton height={170} radius="lg" />;
  const items = devices.data.items;
  return (
    <section className="card" style={{ padding: 24 }}>
      <Title order={2}>{t('devices.title')}</Title>
      <Text c="dimmed" size="sm" mb="md" mt={4}>
        {t('devices.text')}
      </Text>
      <Stack component="ul" gap="md" p={0} m={0} style={{ listStyle: 'none' }}>
        {items.map((device) => {
          const name = deviceName(device.user_agent) ?? t('devices.unknown');
          return (
            <Group component="li" key={device.id} justify="space-between" wrap="nowrap" gap="sm">
              <div style={{ minWidth: 0 }}>
                <Text fw={500} truncate>
                  {name}
                </Text>
                <Text size="sm" c="dimmed">
                  {device.address} · {t('devices.lastUsed', { when: ago(device.last_used_at) })}
                </Text>
              </div>
              {device.current ? (
                <Badge variant="light">{t('devices.this')}</Badge>
              ) : (
                <Button
                  variant="default"
                  size="xs"
                  style={{ flexShrink: 0 }}
                  aria-label={t('devices.signOutOf', { name })}
                  onClick={() => {
                    end(device.id);
                  }}
                >
                  {t('devices.signOut')}
                </Button>
              )}
            </Group>
          );
        })}
      </Stack>
      {items.length > 1 ? (
        <Button
          variant="default"
          mt="md"
          loading={signOut.isPending}
          onClick={() => {
            end(null);
          }}
        >
          {t('devices.signOutOthers')}
        </Button>
      ) : null}
    </section>
  );
}
