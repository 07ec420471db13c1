import { Container } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';

import { modelsQuery } from '@/api/models';
import { optionsQuery } from '@/api/options';
import { LOOK_AGAIN_MS, readyQuery, statusQuery } from '@/api/server';
import { ErrorState } from '@/components/ui/error-state';
import { PageHeader } from '@/components/ui/page-header';
import { PageLoader } from '@/components/ui/plain-states';
import { ServerStatus } from '@/features/admin/server-status';
import { useSession } from '@/hooks/use-session';
import { useTitle } from '@/hooks/use-title';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-server';

import { NotFoundPage } from './states';

/** For administrators; for others this page does not exist. */
export function StatusPage() {
  const state = useSession();
  const admin = state.status === 'signed-in' && state.user.is_admin;
  const ready = useQuery({ ...readyQuery, enabled: admin });
  const status = useQuery({ ...statusQuery, enabled: admin });
  const models = useQuery({ ...modelsQuery, enabled: admin, refetchInterval: LOOK_AGAIN_MS });
  const options = useQuery({ ...optionsQuery, enabled: admin, refetchInterval: LOOK_AGAIN_MS });
  useTitle(t(admin ? 'server.page' : 'notFound.title'));
  if (!admin) return <NotFoundPage />;
  const parts = [ready, status, models, options];
  const error = parts.find((part) => part.error && !part.data)?.error;
  if (error) {
    return (
      <ErrorState
        error={error}
        title={t('server.loadFailed')}
        onRetry={() => {
          for (const part of parts) void part.refetch();
        }}
      />
    );
  }
  if (!ready.data || !status.data || !models.data || !options.data) return <PageLoader />;
  return (
    <Container size="sm" px={0} mx={0}>
      <PageHeader title={t('server.page')} />
      <ServerStatus
        ready={ready.data}
        status={status.data}
        models={models.data.items}
        options={options.data}
      />
    </Container>
  );
}
