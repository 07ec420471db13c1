import { Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { useState, type ReactNode, type SubmitEvent } from 'react';

import { deleteWorkspace } from '@/api/workspaces';
import { fieldError } from '@/components/ui/field-error';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-workspaces';

interface Props {
  workspaceId: string;
  name: string;
  onDone: () => void;
  onCancel: () => void;
}

/** The name has to be typed: what goes here goes for everybody. */
export function DeleteWorkspaceForm({ workspaceId, name, onDone, onCancel }: Props) {
  const [typed, setTyped] = useState('');
  const [error, setError] = useState<ReactNode>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await deleteWorkspace(workspaceId, typed);
      onDone();
    } catch (failure) {
      setError(fieldError(failure));
      setBusy(false);
    }
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack>
        <Text>{t('workspace.deleteText')}</Text>
        <TextInput
          label={t('workspace.deleteName', { name })}
          size="md"
          autoComplete="off"
          data-autofocus
          value={typed}
          error={error}
          onChange={(event) => {
            setError(null);
            setTyped(event.currentTarget.value);
          }}
        />
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={onCancel}>
            {t('action.cancel')}
          </Button>
          <Button type="submit" color="red" loading={busy} disabled={typed !== name}>
            {t('workspace.deleteConfirm')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
