import { Anchor, Button, Group, Stack, Text } from '@mantine/core';
import { modals } from '@mantine/modals';
import { useState } from 'react';

import {
  choiceField,
  choicesOf,
  splitEngine,
  toJobChoices,
  type ChoiceField,
  type Choices,
} from '@/api/choices';
import { useJobActions } from '@/api/jobs';
import { useOptions } from '@/api/options';
import type { Job } from '@/api/types';
import { EngineSelect } from '@/components/ui/engine-select';
import { fieldError } from '@/components/ui/field-error';
import { notifyDone, notifyError } from '@/components/ui/notify';
import { OptionFields, type OptionErrors } from '@/components/ui/option-fields';
import { ApiError } from '@/lib/errors';
import { t } from '@/lib/i18n';

/** Asks what to run the job again with. `onMade` is told the id of a further transcript. */
export function openRerun(job: Job, onMade: (jobId: string) => void): void {
  modals.open({
    title: t('rerun.title'),
    children: (
      <RerunForm
        job={job}
        onDone={() => {
          modals.closeAll();
        }}
        onMade={onMade}
      />
    ),
  });
}

interface Props {
  job: Job;
  onDone: () => void;
  onMade: (jobId: string) => void;
}

/** The same job with another engine; or, with other options, a further transcript of the recording. */
export function RerunForm({ job, onDone, onMade }: Props) {
  const options = useOptions().data;
  const { retry, create } = useJobActions();
  const [changes, setChanges] = useState<Partial<Choices>>({});
  const [further, setFurther] = useState(false);
  const [errors, setErrors] = useState<OptionErrors>({});
  const standard = options?.models.find((model) => model.default);
  // A weak text asks for the real model; otherwise the server chooses.
  const suggested = job.low_accuracy && standard ? `whisper_cpp:${standard.name}` : 'auto';
  const value: Choices = { ...choicesOf(job), engine: suggested, ...changes };
  const change = (next: Partial<Choices>) => {
    setErrors({});
    setChanges((known) => ({ ...known, ...next }));
  };
  const onError = (error: unknown) => {
    const field: ChoiceField | null = error instanceof ApiError ? choiceField(error.field) : null;
    const shown = further || field === 'engine' || field === 'model';
    if (field && shown) setErrors({ [field]: fieldError(error) });
    else notifyError(error);
  };
  const submit = () => {
    if (further) {
      if (job.file_id === null) return; // nothing is offered where the recording is gone
      const body = { ...toJobChoices(value, options), file_id: job.file_id, fresh: true };
      create.mutate(body, {
        onSuccess: (made) => {
          onDone();
          onMade(made.id);
        },
        onError,
      });
      return;
    }
    const { engine = 'auto', model } = splitEngine(value.engine);
    retry.mutate(
      { id: job.id, engine, ...(model ? { model } : {}) },
      {
        onSuccess: () => {
          notifyDone(t('job.retried', { name: job.filename }));
          onDone();
        },
        onError,
      },
    );
  };
  return (
    <Stack>
      {further ? (
        <>
          <Text>{t('rerun.furtherText')}</Text>
          <OptionFields options={options} value={value} onChange={change} errors={errors} />
        </>
      ) : (
        <>
          <Text>
            {t('rerun.text')} {job.transcript_id ? t('rerun.keeps') : null}
          </Text>
          <EngineSelect
            options={options}
            value={value.engine}
            error={errors.engine ?? errors.model}
            onChange={(engine) => {
              change({ engine });
            }}
          />
          <Anchor
            component="button"
            type="button"
            py={6}
            style={{ alignSelf: 'flex-start' }}
            onClick={() => {
              setFurther(true);
            }}
          >
            {t('rerun.further')}
          </Anchor>
        </>
      )}
      <Group justify="flex-end" gap="sm">
        <Button variant="default" onClick={onDone}>
          {t('action.cancel')}
        </Button>
        <Button onClick={submit} loading={retry.isPending || create.isPending} data-autofocus>
          {further ? t('rerun.furtherSubmit') : t('rerun.submit')}
        </Button>
      </Group>
    </Stack>
  );
}
