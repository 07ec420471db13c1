import { Button, Group, NativeSelect, Stack, Switch, Text, TextInput } from '@mantine/core';
import { useState, type ReactNode, type SubmitEvent } from 'react';

import { useApiKeyCommands } from '@/api/members';
import { fieldError } from '@/components/ui/field-error';
import { SecretBox } from '@/components/ui/secret-box';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-account';

const DAY_MS = 86_400_000;
const DAYS = [30, 90, 365];

const LIVES = [
  ...DAYS.map((count) => ({ value: String(count), label: t('apiKeys.expiry.days', { count }) })),
  { value: '', label: t('apiKeys.expiry.never') },
];

/** A new key; the key itself is shown once, at the end. */
export function NewKeyForm({ workspaceId, onDone }: { workspaceId: string; onDone: () => void }) {
  const { create } = useApiKeyCommands(workspaceId);
  const [name, setName] = useState('');
  const [readOnly, setReadOnly] = useState(false);
  const [days, setDays] = useState('90');
  const [error, setError] = useState<ReactNode>(null);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (!name.trim()) {
      setError(t('apiKeys.nameMissing'));
      return;
    }
    create.mutate(
      {
        name: name.trim(),
        scopes: readOnly ? ['read'] : ['read', 'write'],
        expires_at: days ? new Date(Date.now() + Number(days) * DAY_MS).toISOString() : null,
      },
      {
        onError: (failure) => {
          setError(fieldError(failure));
        },
      },
    );
  };
  if (create.data?.key) {
    return (
      <Stack>
        <Text>{t('apiKeys.madeText')}</Text>
        <SecretBox value={create.data.key} label={t('apiKeys.copy')} />
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
          label={t('apiKeys.name')}
          size="md"
          maxLength={100}
          data-autofocus
          value={name}
          error={error}
          onChange={(event) => {
            setError(null);
            setName(event.currentTarget.value);
          }}
        />
        <NativeSelect
          label={t('apiKeys.expires')}
          size="md"
          data={LIVES}
          value={days}
          onChange={(event) => {
            setDays(event.currentTarget.value);
          }}
        />
        <Switch
          size="md"
          label={t('apiKeys.readOnly')}
          checked={readOnly}
          onChange={(event) => {
            setReadOnly(event.currentTarget.checked);
          }}
        />
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={onDone}>
            {t('action.cancel')}
          </Button>
          <Button type="submit" loading={create.isPending}>
            {t('apiKeys.create')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
