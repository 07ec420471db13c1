import { PageHeader } from '@/components/ui/page-header';
import { SharedList } from '@/features/share/shared-list';
import { useTitle } from '@/hooks/use-title';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-share';

export function SharedListPage() {
  useTitle(t('shared.title'));
  return (
    <>
      <PageHeader title={t('shared.title')} />
      <SharedList />
    </>
  );
}
