import { Container } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';

import { workspaceSettingsQuery } from '@/api/workspaces';
import { ErrorState } from '@/components/ui/error-state';
import { PageHeader } from '@/components/ui/page-header';
import { PageLoader } from '@/components/ui/plain-states';
import { WorkspaceForm } from '@/features/settings/workspace-form';
import { useSession } from '@/hooks/use-session';
import { useTitle } from '@/hooks/use-title';
import { t } from '@/lib/i18n';

export function WorkspacePage() {
  useTitle(t('workspace.title'));
  const state = useSession();
  const workspace = state.status === 'signed-in' ? state.user.workspaces[0] : undefined;
  const id = workspace?.id ?? '';
  const settings = useQuery({ ...workspaceSettingsQuery(id), enabled: Boolean(id) });
  if (settings.isError) {
    return <ErrorState error={settings.error} onRetry={() => void settings.refetch()} />;
  }
  if (!workspace || !settings.data) return <PageLoader />;
  return (
    <Container size="sm" px={0} mx={0}>
      <PageHeader title={t('workspace.title')} />
      <WorkspaceForm
        workspaceId={id}
        settings={settings.data}
        readOnly={workspace.role !== 'owner' && workspace.role !== 'admin'}
      />
    </Container>
  );
}
