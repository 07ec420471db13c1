import { Alert, Loader, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';

import { verifyEmail } from '@/api/account';
import { LinkAnchor } from '@/components/ui/link-anchor';
import { MarkedText } from '@/components/ui/marked-text';
import { AuthCard } from '@/features/auth/auth-card';
import { useTitle } from '@/hooks/use-title';
import { errorText } from '@/lib/error-text';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-account';

/** Opened from a mail: the token is used at once, and once. */
export function VerifyPage() {
  useTitle(t('verify.title'));
  const { token } = useParams({ from: '/verify/$token' });
  const verified = useQuery({
    queryKey: ['verify', token],
    queryFn: () => verifyEmail(token).then(() => true),
    retry: false,
    staleTime: Infinity,
    refetchOnWindowFocus: false,
  });
  return (
    <AuthCard title={t('verify.title')}>
      <Stack align="stretch">
        {verified.isPending ? <Loader aria-label={t('verify.running')} mx="auto" /> : null}
        {verified.isError ? (
          <Alert color="red" variant="light" role="alert">
            <MarkedText text={errorText(verified.error)} />
          </Alert>
        ) : null}
        {verified.isSuccess ? (
          <Alert color="green" variant="light" role="status">
            {t('verify.done')}
          </Alert>
        ) : null}
        <LinkAnchor to="/login" search={{}} underline="always" ta="center">
          {t('register.signIn')}
        </LinkAnchor>
      </Stack>
    </AuthCard>
  );
}
