import {
  Alert,
  Button,
  Group,
  NativeSelect,
  Stack,
  Switch,
  Text,
  Textarea,
  Title,
} from '@mantine/core';
import { useState, type ReactNode, type SubmitEvent } from 'react';

import { LIMITS } from '@/api/choices';
import type { Options, WorkspaceSettings } from '@/api/types';
import { useSaveWorkspaceSettings } from '@/api/workspaces';
import { fieldError } from '@/components/ui/field-error';
import { notifyDone } from '@/components/ui/notify';
import { VocabularyInput } from '@/components/ui/vocabulary-input';
import { ApiError } from '@/lib/errors';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-settings';
import '@/lib/i18n/en-workspaces';

import { RetentionField } from './retention-field';

interface Props {
  workspaceId: string;
  settings: WorkspaceSettings;
  languages: Options['languages'];
  readOnly: boolean;
}

const FIELDS = [
  'vocabulary',
  'prompt',
  'language',
  'mode',
  'media_days',
  'transcript_days',
] as const;

interface Refusal {
  field: (typeof FIELDS)[number] | null;
  text: ReactNode;
}

function refusedField(error: unknown): Refusal['field'] {
  if (!(error instanceof ApiError) || !error.field) return null;
  // Of a list the path names the item as well: body.vocabulary.3
  const path = error.field.split('.');
  return FIELDS.find((name) => path.includes(name)) ?? null;
}

/** What holds for every recording of a workspace: hints, defaults, how long it stays, whether it may leave the server. */
export function WorkspaceForm({ workspaceId, settings, languages, readOnly }: Props) {
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
        setRefusal({ field: refusedField(error), text: fieldError(error) });
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
        <div>
          <Group gap="sm" align="flex-start">
            <NativeSelect
              style={{ flex: '1 1 200px' }}
              label={t('workspace.language')}
              size="md"
              value={value.language}
              error={errorAt('language')}
              disabled={readOnly}
              data={languageChoices(languages, value.language)}
              onChange={(event) => {
                edit({ language: event.currentTarget.value });
              }}
            />
            <NativeSelect
              style={{ flex: '1 1 200px' }}
              label={t('workspace.mode')}
              size="md"
              value={value.mode}
              error={errorAt('mode')}
              disabled={readOnly}
              data={[
                { value: 'mono', label: t('options.mode.mono') },
                { value: 'dialogue', label: t('options.mode.dialogue') },
              ]}
              onChange={(event) => {
                edit({ mode: event.currentTarget.value as WorkspaceSettings['mode'] });
              }}
            />
          </Group>
          <Text size="sm" c="dimmed" mt={4}>
            {t('workspace.defaultsHint')}
          </Text>
        </div>
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
        <RetentionField
          label={t('workspace.mediaDays')}
          description={t('workspace.mediaDaysHint')}
          value={value.media_days}
          error={errorAt('media_days')}
          readOnly={readOnly}
          onChange={(media_days) => {
            edit({ media_days });
          }}
        />
        <RetentionField
          label={t('workspace.transcriptDays')}
          description={t('workspace.transcriptDaysHint')}
          value={value.transcript_days}
          error={errorAt('transcript_days')}
          readOnly={readOnly}
          onChange={(transcript_days) => {
            edit({ transcript_days });
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

/** The server's languages; a stored one that it does not offer now stays to be seen. */
function languageChoices(languages: Options['languages'], stored: string) {
  const choices = [
    { value: 'auto', label: t('options.auto') },
    { value: 'mixed', label: t('options.mixed') },
    ...languages
      .filter(({ code }) => code !== 'auto' && code !== 'mixed')
      .map(({ code, name }) => ({ value: code, label: name })),
  ];
  return choices.some(({ value }) => value === stored)
    ? choices
    : [...choices, { value: stored, label: stored }];
}
