import { Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { useState, type ReactNode, type SubmitEvent } from 'react';

import { useSetQuotas } from '@/api/server';
import type { ManagedWorkspace, Quotas } from '@/api/types';
import { fieldError } from '@/components/ui/field-error';
import { notifyDone } from '@/components/ui/notify';
import { ApiError, fieldName } from '@/lib/errors';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-server';

const GB = 1e9;

const FIELDS = [
  { name: 'minutes', label: t('limits.minutes') },
  { name: 'storage_bytes', label: t('limits.storage') },
  { name: 'parallel_jobs', label: t('limits.parallel') },
  { name: 'members', label: t('limits.members') },
] as const;

type Field = (typeof FIELDS)[number]['name'];

interface Props {
  workspace: ManagedWorkspace;
  onDone: () => void;
}

export function LimitsForm({ workspace, onDone }: Props) {
  const save = useSetQuotas();
  const [values, setValues] = useState(() => written(workspace.quotas));
  const [refusal, setRefusal] = useState<{ field: string; text: ReactNode } | null>(null);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    save.mutate(
      { id: workspace.id, quotas: read(values) },
      {
        onSuccess: () => {
          notifyDone(t('limits.saved', { name: workspace.name }));
          onDone();
        },
        onError: (failure) => {
          const path = failure instanceof ApiError ? (failure.field ?? '') : '';
          const known = FIELDS.some(({ name }) => name === fieldName(path));
          setRefusal({ field: known ? fieldName(path) : 'minutes', text: fieldError(failure) });
        },
      },
    );
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        <Text size="sm">{t('limits.hint')}</Text>
        {FIELDS.map(({ name, label }, index) => (
          <TextInput
            key={name}
            label={label}
            size="md"
            inputMode="decimal"
            autoComplete="off"
            maxLength={12}
            data-autofocus={index === 0 || undefined}
            value={values[name]}
            error={refusal?.field === name ? refusal.text : null}
            onChange={(event) => {
              const typed = event.currentTarget.value.replace(/[^\d.]/g, '');
              setRefusal(null);
              setValues((known) => ({ ...known, [name]: typed }));
            }}
          />
        ))}
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={onDone}>
            {t('action.cancel')}
          </Button>
          <Button type="submit" loading={save.isPending}>
            {t('action.save')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function written(quotas: Quotas): Record<Field, string> {
  const text = (value: number | null) => (value === null ? '' : String(value));
  const { minutes, storage_bytes: storage, parallel_jobs, members } = quotas;
  return {
    minutes: text(minutes),
    storage_bytes: text(storage === null ? null : storage / GB),
    parallel_jobs: text(parallel_jobs),
    members: text(members),
  };
}

/** Nothing written is no limit; storage may have digits after the point. */
function read(values: Record<Field, string>): Quotas {
  const number = (text: string, unit = 1) => (text ? Math.round(Number(text) * unit) : null);
  return {
    minutes: number(values.minutes),
    storage_bytes: number(values.storage_bytes, GB),
    parallel_jobs: number(values.parallel_jobs),
    members: number(values.members),
  };
}
