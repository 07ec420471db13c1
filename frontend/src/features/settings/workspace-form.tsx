import { Alert, Button, Stack, Switch, Text, Textarea, Title } from '@mantine/core';
import { useState, type ReactNode, type SubmitEvent } from 'react';

import { choiceField, LIMITS } from '@/api/choices';
import type { WorkspaceSettings } from '@/api/types';
import { useSaveWorkspaceSettings } from '@/api/workspaces';
import { fieldError } from '@/components/ui/field-error';
import { notifyDone } from '@/components/ui/notify';
import { VocabularyInput } from '@/components/ui/vocabulary-input';
import { ApiError } from '@/lib/errors';
import { t } from '@/lib/i18n';

interface Props {
  workspaceId: string;
  settings: WorkspaceSettings;
  readOnly: boolean;
}

interface Refusal {
  field: 'vocabulary' | 'prompt' | null;
  text: ReactNode;
}

/** Hints for every recording of a workspace, and whether recordings may leave the server. */
export function WorkspaceForm({ workspaceId, settings, readOnly }: Props) {
  const save = useSaveWorkspaceSettings(workspaceId);
  const [edited, setEdited] = useState<Partial<WorkspaceSettings>>({});
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const value = { ...settings, ...edited };
  const edit = (change: Partial<WorkspaceSettings>) => {
    setRefusal(null);
    setEdited((known) => ({ ...known, ...change }));
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    save.mutate(edited, {
      onSuccess: () => {
        setEdited({});
        notifyDone(t('workspace.saved'));
      },
      onError: (error) => {
        const found = error instanceof ApiError ? choiceField(error.field) : null;
        const field = found === 'vocabulary' || found === 'prompt' ? found : null;
        setRefusal({ field, text: fieldError(error) });
      },
    });
  };
  const errorAt = (field: Refusal['field']) => (refusal?.field === field ? refusal?.text : null);
  return (
    <form className="card" style={{ padding: 24 }} onSubmit={submit}>
      <Title order={2}>{t('workspace.heading')}</Title>
      <Text c="dimmed" size="sm" mb="md" mt={4}>
        {t(readOnly ? 'workspace.readOnly' : 'workspace.text')}
      </Text>
      <Stack>
        {refusal && !refusal.field ? (
          <Alert color="red" variant="light" role="alert">
            {refusal.text}
          </Alert>
        ) : null}
        <VocabularyInput
          label={t('workspace.vocabulary')}
          description={t('workspace.vocabularyHint')}
          max={LIMITS.workspaceTerms}
          value={value.vocabulary}
          error={errorAt('vocabulary')}
          readOnly={readOnly}
          onChange={(vocabulary) => {
            edit({ vocabulary });
          }}
        />
        <Textarea
          label={t('workspace.prompt')}
          description={t('workspace.promptHint')}
          size="md"
          rows={3}
          maxLength={LIMITS.promptLength}
          value={value.prompt}
          error={errorAt('prompt')}
          readOnly={readOnly}
          onChange={(event) => {
            edit({ prompt: event.currentTarget.value });
          }}
        />
        <Switch
          size="md"
          label={t('workspace.keepHere')}
          description={t('workspace.keepHereHint')}
          checked={!value.allow_cloud}
          disabled={readOnly}
          onChange={(event) => {
            edit({ allow_cloud: !event.currentTarget.checked });
          }}
        />
        {readOnly ? null : (
          <Button
            type="submit"
            size="md"
            loading={save.isPending}
            disabled={Object.keys(edited).length === 0}
            style={{ alignSelf: 'flex-start' }}
          >
            {t('action.save')}
          </Button>
        )}
      </Stack>
    </form>
  );
}
