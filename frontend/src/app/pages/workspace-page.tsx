import { Container, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';

import { useOptions } from '@/api/options';
import { workspaceSettingsQuery } from '@/api/workspaces';
import { ErrorState } from '@/components/ui/error-state';
import { PageHeader } from '@/components/ui/page-header';
import { PageLoader } from '@/components/ui/plain-states';
import { LeaveWorkspaceSection } from '@/features/settings/leave-workspace-section';
import { WorkspaceForm } from '@/features/settings/workspace-form';
import { WorkspaceNameForm } from '@/features/settings/workspace-name-form';
import { useSession } from '@/hooks/use-session';
import { useTitle } from '@/hooks/use-title';
import { useWorkspace } from '@/hooks/use-workspace';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-settings';

export function WorkspacePage() {
  useTitle(t('workspace.title'));
  const state = useSession();
  const workspace = useWorkspace();
  const navigate = useNavigate();
  const languages = useOptions().data?.languages ?? [];
  const id = workspace?.id ?? '';
  const settings = useQuery({ ...workspaceSettingsQuery(id), enabled: Boolean(id) });
  if (settings.isError) {
    return <ErrorState error={settings.error} onRetry={() => void settings.refetch()} />;
  }
  if (state.status !== 'signed-in' || !workspace || !settings.data) return <PageLoader />;
  const readOnly = workspace.role !== 'owner' && workspace.role !== 'admin';
  return (
    <Container size="sm" px={0} mx={0}>
      <PageHeader title={t('workspace.title')} />
      <Stack gap="lg">
        <WorkspaceNameForm
          key={workspace.name}
          workspaceId={id}
          name={workspace.name}
          readOnly={readOnly}
        />
        <WorkspaceForm
          workspaceId={id}
          settings={settings.data}
          languages={languages}
          readOnly={readOnly}
        />
        <LeaveWorkspaceSection
          workspace={workspace}
          only={state.user.workspaces.length < 2}
          onGone={() => void navigate({ to: '/' })}
        />
      </Stack>
    </Container>
  );
}
