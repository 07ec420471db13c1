import { Alert } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';

import { AuthCard } from '@/features/auth/auth-card';
import { LoginForm } from '@/features/auth/login-form';
import { ProviderButton } from '@/features/auth/provider-button';
import { ProviderFactorForm } from '@/features/auth/provider-factor-form';
import { useTitle } from '@/hooks/use-title';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-oidc';
import { safeNext } from '@/lib/next-path';
import { oidcProblem } from '@/lib/oidc-text';

export function LoginPage() {
  useTitle(t('login.title'));
  const { next, oidc } = useSearch({ from: '/login' });
  const navigate = useNavigate();
  const onDone = () => void navigate({ href: safeNext(next), replace: true });
  if (oidc === 'totp') {
    return (
      <AuthCard title={t('oidc.codeTitle')} text={t('oidc.codeText')}>
        <ProviderFactorForm onDone={onDone} />
      </AuthCard>
    );
  }
  const problem = oidcProblem(oidc);
  return (
    <AuthCard title={t('login.title')}>
      {problem ? (
        <Alert color="red" variant="light" role="alert" mb="md">
          {problem}
        </Alert>
      ) : null}
      <LoginForm
        onDone={onDone}
        registerHref={next ? `/register?next=${encodeURIComponent(next)}` : '/register'}
      />
      <ProviderButton next={safeNext(next)} />
    </AuthCard>
  );
}
