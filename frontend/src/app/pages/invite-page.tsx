import { Alert, Button, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';

import { currentWorkspace } from '@/api/current-workspace';
import { acceptInvitation, inspectInvitation } from '@/api/members';
import { keys } from '@/api/keys';
import { useOptions } from '@/api/options';
import { session } from '@/api/session';
import { ErrorState } from '@/components/ui/error-state';
import { LinkAnchor } from '@/components/ui/link-anchor';
import { MarkedText } from '@/components/ui/marked-text';
import { notifyDone } from '@/components/ui/notify';
import { PageLoader } from '@/components/ui/plain-states';
import { AuthCard } from '@/features/auth/auth-card';
import { RegisterForm } from '@/features/auth/register-form';
import { useSession } from '@/hooks/use-session';
import { useTitle } from '@/hooks/use-title';
import { errorText } from '@/lib/error-text';
import { ApiError } from '@/lib/errors';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-account';
import { roleName } from '@/lib/roles';

/** An invitation: who is signed in joins, everybody else signs in or registers first. */
export function InvitePage() {
  const { token } = useParams({ from: '/invite/$token' });
  const navigate = useNavigate();
  const state = useSession();
  const options = useOptions();
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  useTitle(t('invite.title'));
  const offer = useQuery({
    queryKey: keys.invitation(token),
    queryFn: () => inspectInvitation(token),
    retry: false,
    refetchOnWindowFocus: false,
  });
  if (offer.isPending || options.isPending) return <PageLoader />;
  if (offer.isError) {
    const { error: failure } = offer;
    if (!(failure instanceof ApiError) || failure.status >= 500) {
      return <ErrorState error={failure} onRetry={() => void offer.refetch()} />;
    }
    return <InvitationGone text={errorText(failure)} />;
  }
  if (options.isError) return <ErrorState error={options.error} />;
  const { workspace, email, role, has_account: known } = offer.data;
  const done = () => {
    notifyDone(t('invite.joined', { name: workspace.name }));
    void navigate({ to: '/', replace: true });
  };
  const join = async () => {
    setBusy(true);
    setError(null);
    try {
      await acceptInvitation(token);
      done();
    } catch (failure) {
      setError(errorText(failure));
    } finally {
      setBusy(false);
    }
  };
  const text = t('invite.text', { name: workspace.name, role: roleName(role), email });
  const signedIn = state.status === 'signed-in';
  return (
    <AuthCard title={t('invite.title')} text={text}>
      <Stack>
        {error ? (
          <Alert color="red" variant="light" role="alert">
            <MarkedText text={error} />
          </Alert>
        ) : null}
        {signedIn ? (
          <>
            <Text size="sm">{t('invite.signedInAs', { email: session.user?.email ?? '' })}</Text>
            <Button size="md" loading={busy} onClick={() => void join()} fullWidth>
              {t('invite.accept')}
            </Button>
          </>
        ) : null}
        {!signedIn && known ? (
          <LinkAnchor
            to="/login"
            search={{ next: `/invite/${token}` }}
            underline="always"
            ta="center"
          >
            {t('invite.signIn')}
          </LinkAnchor>
        ) : null}
        {!signedIn && !known ? (
          <RegisterForm
            options={options.data}
            invitation={{ token, email }}
            onDone={() => {
              // Beside the new account's own there is one: that of the invitation.
              const joined = session.user?.workspaces.at(-1);
              if (joined) currentWorkspace.choose(joined.id);
              done();
            }}
          />
        ) : null}
      </Stack>
    </AuthCard>
  );
}

function InvitationGone({ text }: { text: string }) {
  return (
    <AuthCard title={t('invite.gone')}>
      <Stack>
        <Alert color="red" variant="light" role="alert">
          <MarkedText text={text} />
        </Alert>
        <LinkAnchor to="/" underline="always" ta="center">
          {t('invite.start')}
        </LinkAnchor>
      </Stack>
    </AuthCard>
  );
}
