import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { managedWorkspacesQuery } from '@/api/server';
import type { ManagedWorkspace, Quotas } from '@/api/types';
import { ErrorState } from '@/components/ui/error-state';
import { PageLoader } from '@/components/ui/plain-states';
import { bytes, count } from '@/lib/format';
import { t, tn } from '@/lib/i18n';
import '@/lib/i18n/en-server';

import { LimitsForm } from './limits-form';

/** Workspaces of the server with what they use; a dialog sets what they may use. */
export function LimitsList({ q }: { q: string }) {
  const found = useInfiniteQuery(managedWorkspacesQuery(q));
  const [open, setOpen] = useState<ManagedWorkspace | null>(null);
  if (found.isError && !found.data) {
    return <ErrorState error={found.error} onRetry={() => void found.refetch()} />;
  }
  if (!found.data) return <PageLoader />;
  const items = found.data.pages.flatMap((page) => page.items);
  if (items.length === 0) return <Text role="status">{t('limits.none')}</Text>;
  const close = () => {
    setOpen(null);
  };
  return (
    <>
      <section className="card" style={{ padding: 24 }}>
        <Stack component="ul" gap="lg" p={0} m={0} style={{ listStyle: 'none' }}>
          {items.map((workspace) => (
            <Group component="li" key={workspace.id} justify="space-between" gap="sm">
              <div style={{ flex: '1 1 240px', minWidth: 0 }}>
                <Text fw={500} dir="auto">
                  {workspace.name}
                </Text>
                <Text size="sm" c="dimmed">
                  {uses(workspace)}
                </Text>
                {workspace.owner_email ? (
                  <Text size="sm" c="dimmed">
                    {t('limits.owner', { email: workspace.owner_email })}
                  </Text>
                ) : null}
                <Text size="sm">{limited(workspace.quotas)}</Text>
              </div>
              <Button
                variant="default"
                size="sm"
                aria-label={t('limits.of', { name: workspace.name })}
                onClick={() => {
                  setOpen(workspace);
                }}
              >
                {t('limits.change')}
              </Button>
            </Group>
          ))}
        </Stack>
      </section>
      {found.hasNextPage ? (
        <Button
          variant="default"
          mt="md"
          loading={found.isFetchingNextPage}
          onClick={() => void found.fetchNextPage()}
        >
          {t('action.loadMore')}
        </Button>
      ) : null}
      <Modal
        opened={open !== null}
        onClose={close}
        title={t('limits.of', { name: open?.name ?? '' })}
        centered
      >
        {open ? <LimitsForm workspace={open} onDone={close} /> : null}
      </Modal>
    </>
  );
}

function uses(workspace: ManagedWorkspace): string {
  return t('limits.uses', {
    minutes: count(workspace.minutes_used),
    bytes: bytes(workspace.storage_bytes),
    members: tn('limits.people', workspace.members),
  });
}

function limited(quotas: Quotas): string {
  const some = Object.values(quotas).filter((limit) => limit !== null).length;
  return some ? tn('limits.some', some) : t('limits.free');
}
