import { Button, Group, TextInput, Title } from '@mantine/core';
import { useState, type ReactNode, type SubmitEvent } from 'react';

import { renameWorkspace } from '@/api/workspaces';
import { fieldError } from '@/components/ui/field-error';
import { notifyDone } from '@/components/ui/notify';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-workspaces';

interface Props {
  workspaceId: string;
  name: string;
  readOnly: boolean;
}

/** What members call the workspace. */
export function WorkspaceNameForm({ workspaceId, name, readOnly }: Props) {
  const [value, setValue] = useState(name);
  const [error, setError] = useState<ReactNode>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await renameWorkspace(workspaceId, value.trim());
      notifyDone(t('workspace.nameSaved'));
    } catch (failure) {
      setError(fieldError(failure));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form className="card" style={{ padding: 24 }} onSubmit={(event) => void submit(event)}>
      <Title order={2} mb="md">
        {t('workspace.nameHeading')}
      </Title>
      <Group align="flex-start" gap="sm">
        <TextInput
          style={{ flex: '1 1 220px' }}
          aria-label={t('workspace.name')}
          size="md"
          maxLength={100}
          autoComplete="off"
          readOnly={readOnly}
          value={value}
          error={error}
          onChange={(event) => {
            setError(null);
            setValue(event.currentTarget.value);
          }}
        />
        {readOnly ? null : (
          <Button
            type="submit"
            size="md"
            loading={busy}
            disabled={!value.trim() || value.trim() === name}
          >
            {t('action.save')}
          </Button>
        )}
      </Group>
    </form>
  );
}
