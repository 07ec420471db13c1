import { Container } from '@mantine/core';

import { PageHeader } from '@/components/ui/page-header';
import { NameForm } from '@/features/settings/name-form';
import { useSession } from '@/hooks/use-session';
import { useTitle } from '@/hooks/use-title';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-account';

export function ProfilePage() {
  useTitle(t('profile.title'));
  const state = useSession();
  if (state.status !== 'signed-in') return null;
  return (
    <Container size="xs" px={0} mx={0}>
      <PageHeader title={t('profile.title')} />
      <NameForm user={state.user} />
    </Container>
  );
}
