import { Button, Group, Stack, Text } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';

import type { AuditEntry } from '@/api/types';
import { auditQuery } from '@/api/usage';
import { ErrorState } from '@/components/ui/error-state';
import { PageLoader } from '@/components/ui/plain-states';
import { fullDate } from '@/lib/format';
import { lookup, t } from '@/lib/i18n';
import '@/lib/i18n/en-activity';

/** Security-relevant acts and reads of data, newest first. */
export function ActivityList({ workspaceId }: { workspaceId: string }) {
  const found = useInfiniteQuery(auditQuery(workspaceId));
  if (found.isError && !found.data) {
    return <ErrorState error={found.error} onRetry={() => void found.refetch()} />;
  }
  if (!found.data) return <PageLoader />;
  const items = found.data.pages.flatMap((page) => page.items);
  if (items.length === 0) return <Text>{t('activity.empty')}</Text>;
  return (
    <>
      <Stack component="ul" gap="md" p={0} m={0} style={{ listStyle: 'none' }}>
        {items.map((entry) => (
          <Entry key={entry.id} entry={entry} />
        ))}
      </Stack>
      {found.hasNextPage ? (
        <Button
          variant="default"
          mt="lg"
          loading={found.isFetchingNextPage}
          onClick={() => void found.fetchNextPage()}
        >
          {t('action.loadMore')}
        </Button>
      ) : null}
    </>
  );
}

function Entry({ entry }: { entry: AuditEntry }) {
  const { action, target_name: name, address, created_at: at } = entry;
  const job = jobOf(entry);
  return (
    <Group component="li" justify="space-between" gap="xs" align="flex-start">
      <div style={{ flex: '1 1 240px', minWidth: 0 }}>
        <Text fw={500}>{lookup('audit', action, action)}</Text>
        {name ? (
          <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
            {name}
          </Text>
        ) : null}
        <Text size="sm" c="dimmed">
          {who(entry)}
          {address ? ` · ${address}` : ''} · <time dateTime={at}>{fullDate(at)}</time>
        </Text>
      </div>
      {job && name ? (
        <Button
          component={Link}
          to="/t/$jobId"
          params={{ jobId: job } as never}
          variant="default"
          size="xs"
          aria-label={t('activity.openNamed', { name })}
        >
          {t('activity.open')}
        </Button>
      ) : null}
    </Group>
  );
}

/** The transcript that an entry tells of, if one; whether it is still there, its name says. */
function jobOf({ target_type: type, target_id: target, detail }: AuditEntry): string | null {
  if (type === 'job') return target;
  return typeof detail.job_id === 'string' ? detail.job_id : null;
}

function who({ user, api_key_id: key, detail }: AuditEntry): string {
  if (!user) return t('share_link' in detail ? 'activity.guest' : 'activity.system');
  const name = user.email ?? t('activity.formerUser');
  return key ? t('activity.byKey', { name }) : name;
}
