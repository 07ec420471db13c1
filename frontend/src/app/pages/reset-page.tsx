import { useNavigate, useParams } from '@tanstack/react-router';

import { useOptions } from '@/api/options';
import { notifyDone } from '@/components/ui/notify';
import { AuthCard } from '@/features/auth/auth-card';
import { ResetForm } from '@/features/auth/reset-form';
import { useTitle } from '@/hooks/use-title';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-account';

export function ResetPage() {
  useTitle(t('reset.title'));
  const { token } = useParams({ from: '/reset/$token' });
  const navigate = useNavigate();
  const minLength = useOptions().data?.password_min_length ?? 12;
  return (
    <AuthCard title={t('reset.title')} text={t('reset.text')}>
      <ResetForm
        token={token}
        minLength={minLength}
        onDone={() => {
          notifyDone(t('reset.done'));
          void navigate({ to: '/login', search: {}, replace: true });
        }}
      />
    </AuthCard>
  );
}
