import { Button, Group, NativeSelect, Stack, Text, TextInput } from '@mantine/core';
import { useState, type ReactNode, type SubmitEvent } from 'react';

import { useMemberCommands } from '@/api/members';
import type { Role } from '@/api/types';
import { fieldError } from '@/components/ui/field-error';
import { notifyDone } from '@/components/ui/notify';
import { SecretBox } from '@/components/ui/secret-box';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-account';
import { manageable, roleName } from '@/lib/roles';

interface Props {
  workspaceId: string;
  ownRole: Role;
  onDone: () => void;
}

/** Mails a link, or shows it where this server sends no mail. */
export function InviteForm({ workspaceId, ownRole, onDone }: Props) {
  const { invite } = useMemberCommands(workspaceId);
  const [email, setEmail] = useState('');
  const [role, setRole] = useState<Role>('member');
  const [error, setError] = useState<ReactNode>(null);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    invite.mutate(
      { email: email.trim(), role },
      {
        onSuccess: (made) => {
          if (made.url) return;
          notifyDone(t('members.inviteSent', { email: made.email }));
          onDone();
        },
        onError: (failure) => {
          setError(fieldError(failure));
        },
      },
    );
  };
  if (invite.data?.url) {
    return (
      <Stack>
        <Text>{t('members.inviteUrl', { email: invite.data.email })}</Text>
        <SecretBox value={invite.data.url} label={t('members.copyLink')} />
        <Group justify="flex-end">
          <Button onClick={onDone}>{t('apiKeys.done')}</Button>
        </Group>
      </Stack>
    );
  }
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        <TextInput
          label={t('field.email')}
          type="email"
          autoComplete="off"
          size="md"
          data-autofocus
          value={email}
          error={error}
          onChange={(event) => {
            setError(null);
            setEmail(event.currentTarget.value);
          }}
        />
        <NativeSelect
          label={t('members.inviteRole')}
          size="md"
          value={role}
          data={manageable(ownRole).map((one) => ({ value: one, label: roleName(one) }))}
          onChange={(event) => {
            setRole(event.currentTarget.value as Role);
          }}
        />
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={onDone}>
            {t('action.cancel')}
          </Button>
          <Button type="submit" loading={invite.isPending} disabled={!email.trim()}>
            {t('members.invite')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
