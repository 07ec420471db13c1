import { Alert, Text } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';

import { useOptions } from '@/api/options';
import { ErrorState } from '@/components/ui/error-state';
import { LinkAnchor } from '@/components/ui/link-anchor';
import { PageLoader } from '@/components/ui/plain-states';
import { AuthCard } from '@/features/auth/auth-card';
import { RegisterForm } from '@/features/auth/register-form';
import { useTitle } from '@/hooks/use-title';
import { t } from '@/lib/i18n';
import { safeNext } from '@/lib/next-path';

export function RegisterPage() {
  const { next } = useSearch({ from: '/register' });
  const navigate = useNavigate();
  const options = useOptions();
  const first = options.data?.needs_first_account ?? false;
  const title = first ? t('register.firstTitle') : t('register.title');
  useTitle(title);
  if (options.isPending) return <PageLoader />;
  if (options.isError) {
    return <ErrorState error={options.error} onRetry={() => void options.refetch()} />;
  }
  const open = options.data.allow_registration || first;
  return (
    <AuthCard title={title} text={first ? t('register.firstText') : undefined}>
      {open ? (
        <RegisterForm
          options={options.data}
          onDone={() => void navigate({ href: safeNext(next), replace: true })}
        />
      ) : (
        <Alert color="yellow" variant="light" title={t('register.closedTitle')}>
          {t('register.closedText')}
        </Alert>
      )}
      <Text size="sm" ta="center" mt="md">
        {t('register.haveAccount')}{' '}
        <LinkAnchor to="/login" search={next ? { next } : {}} underline="always" inherit>
          {t('register.signIn')}
        </LinkAnchor>
      </Text>
    </AuthCard>
  );
}
