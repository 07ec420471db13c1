import { Button, Stack, Text, TextInput, Title } from '@mantine/core';
import { useState, type ReactNode, type SubmitEvent } from 'react';

import { rename } from '@/api/account';
import type { UserMe } from '@/api/types';
import { fieldError } from '@/components/ui/field-error';
import { notifyDone } from '@/components/ui/notify';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-account';

/** What others see of a user: the name, which can be changed, and the address, which cannot. */
export function NameForm({ user }: { user: UserMe }) {
  const [name, setName] = useState(user.name ?? '');
  const [error, setError] = useState<ReactNode>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await rename(name.trim());
      notifyDone(t('profile.saved'));
    } catch (failure) {
      setError(fieldError(failure));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form className="card" style={{ padding: 24 }} onSubmit={(event) => void submit(event)}>
      <Title order={2}>{t('profile.heading')}</Title>
      <Text c="dimmed" size="sm" mb="md" mt={4}>
        {t('profile.text')}
      </Text>
      <Stack>
        <TextInput
          label={t('profile.name')}
          autoComplete="name"
          size="md"
          maxLength={200}
          value={name}
          error={error}
          onChange={(event) => {
            setError(null);
            setName(event.currentTarget.value);
          }}
        />
        <TextInput
          label={t('profile.email')}
          description={user.email_verified ? t('profile.verified') : undefined}
          size="md"
          value={user.email}
          readOnly
        />
        <Button
          type="submit"
          size="md"
          loading={busy}
          disabled={name.trim() === (user.name ?? '')}
          style={{ alignSelf: 'flex-start' }}
        >
          {t('action.save')}
        </Button>
      </Stack>
    </form>
  );
}
