import { Badge, Button, Group, Stack, Text } from '@mantine/core';
import { IconShare } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';

import { sharedWithMeQuery } from '@/api/shared';
import { EmptyState } from '@/components/ui/empty-state';
import { ErrorState } from '@/components/ui/error-state';
import { PageLoader } from '@/components/ui/plain-states';
import { StatusBadge } from '@/components/ui/status-badge';
import { useNow } from '@/hooks/use-now';
import { ago, clock } from '@/lib/format';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-share';

import classes from './shared-list.module.css';

/** What others have shared with this account, newest first. */
export function SharedList() {
  const found = useInfiniteQuery(sharedWithMeQuery);
  const now = useNow();
  if (found.isError && !found.data) {
    return <ErrorState error={found.error} onRetry={() => void found.refetch()} />;
  }
  if (!found.data) return <PageLoader />;
  const items = found.data.pages.flatMap((page) => page.items);
  if (items.length === 0) {
    return (
      <EmptyState
        icon={<IconShare size={30} />}
        title={t('shared.empty')}
        text={t('shared.emptyText')}
      />
    );
  }
  return (
    <>
      <Stack component="ul" gap={0} p={0} m={0} className={`card ${classes.list ?? ''}`}>
        {items.map((item) => (
          <Group
            component="li"
            key={item.job_id}
            className={classes.row}
            justify="space-between"
            gap="xs"
          >
            <div className={classes.body}>
              <Link
                to="/shared/$jobId"
                params={{ jobId: item.job_id }}
                search={{}}
                className={classes.link}
                dir="auto"
              >
                {item.title}
              </Link>
              <Text size="sm" c="dimmed" className="tabular">
                {item.duration_ms == null ? '' : `${clock(item.duration_ms)} · `}
                {t('shared.from', { name: item.workspace.name })} · {ago(item.created_at, now)}
              </Text>
            </div>
            <Group gap="xs">
              {item.permission === 'edit' ? (
                <Badge variant="light" size="lg">
                  {t('shared.mayEdit')}
                </Badge>
              ) : null}
              {item.status === 'completed' ? null : (
                <StatusBadge job={{ status: item.status, cancel_requested: false }} />
              )}
            </Group>
          </Group>
        ))}
      </Stack>
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
    </>
  );
}
