import { Button, Group, Stack, Text } from '@mantine/core';
import { modals } from '@mantine/modals';
import { useState } from 'react';

import { useJobActions, type EngineChoice } from '@/api/jobs';
import { useOptions } from '@/api/options';
import type { Job } from '@/api/types';
import { EngineSelect } from '@/components/ui/engine-select';
import { t } from '@/lib/i18n';
import { notifyDone, notifyError } from '@/components/ui/notify';

export function openRerun(job: Job): void {
  modals.open({
    title: t('rerun.title'),
    children: (
      <RerunForm
        job={job}
        onDone={() => {
          modals.closeAll();
        }}
      />
    ),
  });
}

function toChoice(value: string): EngineChoice {
  if (value === 'auto') return { engine: 'auto' };
  const [engine, model] = value.split(/:(.*)/s);
  return { engine: engine as EngineChoice['engine'], ...(model ? { model } : {}) };
}

function RerunForm({ job, onDone }: { job: Job; onDone: () => void }) {
  const options = useOptions().data;
  const { retry } = useJobActions();
  const standard = options?.models.find((model) => model.default);
  const [picked, setPicked] = useState<string | null>(null);
  // A weak text asks for the real model; otherwise the server chooses.
  const suggested = job.low_accuracy && standard ? `whisper_cpp:${standard.name}` : 'auto';
  const value = picked ?? suggested;
  const submit = () => {
    retry.mutate(
      { id: job.id, ...toChoice(value) },
      {
        onSuccess: () => {
          notifyDone(t('job.retried', { name: job.filename }));
          onDone();
        },
        onError: (error) => {
          notifyError(error);
        },
      },
    );
  };
  return (
    <Stack>
      <Text>
        {t('rerun.text')} {job.transcript_id ? t('rerun.keeps') : null}
      </Text>
      <EngineSelect options={options} value={value} onChange={setPicked} />
      <Group justify="flex-end" gap="sm">
        <Button variant="default" onClick={onDone}>
          {t('action.cancel')}
        </Button>
        <Button onClick={submit} loading={retry.isPending} data-autofocus>
          {t('rerun.submit')}
        </Button>
      </Group>
    </Stack>
  );
}
