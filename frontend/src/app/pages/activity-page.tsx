import { Container, Text } from '@mantine/core';

import { EmptyState } from '@/components/ui/empty-state';
import { PageHeader } from '@/components/ui/page-header';
import { PageLoader } from '@/components/ui/plain-states';
import { ActivityList } from '@/features/settings/activity-list';
import { useTitle } from '@/hooks/use-title';
import { useWorkspace } from '@/hooks/use-workspace';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-activity';
import { IconLock } from '@tabler/icons-react';

/** For owners and admins of the workspace. */
export function ActivityPage() {
  useTitle(t('activity.title'));
  const workspace = useWorkspace();
  if (!workspace) return <PageLoader />;
  const allowed = workspace.role === 'owner' || workspace.role === 'admin';
  return (
    <Container size="sm" px={0} mx={0}>
      <PageHeader title={t('activity.title')} />
      {allowed ? (
        <section className="card" style={{ padding: 24 }}>
          <Text c="dimmed" size="sm" mb="md">
            {t('activity.text', { name: workspace.name })}
          </Text>
          <ActivityList workspaceId={workspace.id} />
        </section>
      ) : (
        <EmptyState icon={<IconLock size={30} />} title={t('activity.ownersOnly')} />
      )}
    </Container>
  );
}
