import { useNavigate, useSearch } from '@tanstack/react-router';

import { AuthCard } from '@/features/auth/auth-card';
import { LoginForm } from '@/features/auth/login-form';
import { useTitle } from '@/hooks/use-title';
import { t } from '@/lib/i18n';
import { safeNext } from '@/lib/next-path';

export function LoginPage() {
  useTitle(t('login.title'));
  const { next } = useSearch({ from: '/login' });
  const navigate = useNavigate();
  return (
    <AuthCard title={t('login.title')}>
      <LoginForm
        onDone={() => void navigate({ href: safeNext(next), replace: true })}
        registerHref={next ? `/register?next=${encodeURIComponent(next)}` : '/register'}
      />
    </AuthCard>
  );
}
