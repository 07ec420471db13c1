import { Text } from '@mantine/core';

import { LinkAnchor } from '@/components/ui/link-anchor';
import { AuthCard } from '@/features/auth/auth-card';
import { ForgotForm } from '@/features/auth/forgot-form';
import { useTitle } from '@/hooks/use-title';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-account';

export function ForgotPage() {
  useTitle(t('forgot.title'));
  return (
    <AuthCard title={t('forgot.title')} text={t('forgot.text')}>
      <ForgotForm />
      <Text size="sm" ta="center" mt="md">
        <LinkAnchor to="/login" search={{}} underline="always" inherit>
          {t('forgot.back')}
        </LinkAnchor>
      </Text>
    </AuthCard>
  );
}
