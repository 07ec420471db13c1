import { Container } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';

import { readyQuery, statusQuery } from '@/api/server';
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
  useTitle(t(admin ? 'server.page' : 'notFound.title'));
  if (!admin) return <NotFoundPage />;
  const error = (ready.data ? null : ready.error) ?? (status.data ? null : status.error);
  if (error) {
    return (
      <ErrorState
        error={error}
        title={t('server.loadFailed')}
        onRetry={() => {
          void ready.refetch();
          void status.refetch();
        }}
      />
    );
  }
  if (!ready.data || !status.data) return <PageLoader />;
  return (
    <Container size="sm" px={0} mx={0}>
      <PageHeader title={t('server.page')} />
      <ServerStatus ready={ready.data} status={status.data} />
    </Container>
  );
}
