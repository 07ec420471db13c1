import { Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { useState, type ReactNode, type SubmitEvent } from 'react';

import { createWorkspace } from '@/api/workspaces';
import { fieldError } from '@/components/ui/field-error';
import { notifyDone } from '@/components/ui/notify';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-workspaces';

interface Props {
  onDone: () => void;
  onCancel: () => void;
}

/** Makes a workspace, of which one is the owner, and goes there. */
export function NewWorkspaceForm({ onDone, onCancel }: Props) {
  const [name, setName] = useState('');
  const [error, setError] = useState<ReactNode>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await createWorkspace(name.trim());
      notifyDone(t('workspaces.made', { name: name.trim() }));
      onDone();
    } catch (failure) {
      setError(fieldError(failure));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack>
        <Text size="sm">{t('workspaces.newText')}</Text>
        <TextInput
          label={t('field.name')}
          size="md"
          maxLength={100}
          autoComplete="off"
          data-autofocus
          value={name}
          error={error}
          onChange={(event) => {
            setError(null);
            setName(event.currentTarget.value);
          }}
        />
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={onCancel}>
            {t('action.cancel')}
          </Button>
          <Button type="submit" loading={busy} disabled={!name.trim()}>
            {t('workspaces.create')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
