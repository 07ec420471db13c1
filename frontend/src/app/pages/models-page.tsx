import { PageHeader } from '@/components/ui/page-header';
import { ModelList } from '@/features/admin/model-list';
import { useSession } from '@/hooks/use-session';
import { useTitle } from '@/hooks/use-title';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-settings';

import { NotFoundPage } from './states';

/** For administrators; for others this page does not exist. */
export function ModelsPage() {
  const state = useSession();
  const admin = state.status === 'signed-in' && state.user.is_admin;
  useTitle(t(admin ? 'models.title' : 'notFound.title'));
  if (!admin) return <NotFoundPage />;
  return (
    <>
      <PageHeader title={t('models.title')} />
      <ModelList />
    </>
  );
}
