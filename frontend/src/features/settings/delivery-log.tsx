import { Button, Center, Group, SegmentedControl, Skeleton, Title } from '@mantine/core';
import { IconMailbox } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';

import type { DeliveryState } from '@/api/types';
import { deliveriesQuery } from '@/api/webhooks';
import { EmptyState } from '@/components/ui/empty-state';
import { ErrorState } from '@/components/ui/error-state';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-webhooks';

import { DeliveryEntry } from './delivery-entry';

const TABS = ['all', 'pending', 'failed', 'delivered'] as const;
type Tab = (typeof TABS)[number];

interface Props {
  workspaceId: string;
  webhookId: string;
  /** While the webhook is off nothing can be sent again. */
  enabled: boolean;
}

/** What was sent, newest first; each entry opens to its attempts. */
export function DeliveryLog({ workspaceId, webhookId, enabled }: Props) {
  const [tab, setTab] = useState<Tab>('all');
  const state: DeliveryState | null = tab === 'all' ? null : tab;
  const query = useInfiniteQuery(deliveriesQuery(webhookId, state));
  const items = query.data?.pages.flatMap((page) => page.items);
  return (
    <section aria-labelledby="deliveries">
      <Group justify="space-between" mb="md" gap="sm">
        <Title order={2} id="deliveries">
          {t('deliveries.title')}
        </Title>
        <SegmentedControl
          aria-label={t('deliveries.filter')}
          data={TABS.map((one) => ({ value: one, label: t(`deliveries.tab.${one}`) }))}
          value={tab}
          onChange={(chosen) => {
            setTab(chosen as Tab);
          }}
        />
      </Group>
      {query.isError && !items ? (
        <ErrorState
          error={query.error}
          title={t('deliveries.loadFailed')}
          onRetry={() => void query.refetch()}
        />
      ) : null}
      {query.isPending ? <Skeleton height={170} radius="lg" /> : null}
      {items?.length === 0 ? (
        <div className="card">
          <EmptyState
            live
            icon={<IconMailbox size={30} />}
            title={t('deliveries.empty')}
            text={t('deliveries.emptyText')}
          />
        </div>
      ) : null}
      {items?.length ? (
        <ul
          className="card"
          style={{ listStyle: 'none', margin: 0, padding: 0, overflow: 'hidden' }}
        >
          {items.map((delivery) => (
            <DeliveryEntry
              key={delivery.id}
              workspaceId={workspaceId}
              webhookId={webhookId}
              delivery={delivery}
              enabled={enabled}
            />
          ))}
        </ul>
      ) : null}
      {query.hasNextPage ? (
        <Center py="lg">
          <Button
            variant="default"
            loading={query.isFetchingNextPage}
            onClick={() => void query.fetchNextPage()}
          >
            {t('action.loadMore')}
          </Button>
        </Center>
      ) : null}
    </section>
  );
}
