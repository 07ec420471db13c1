import {
  Button,
  Group,
  NativeSelect,
  Skeleton,
  Stack,
  Text,
  TextInput,
  Title,
} from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState, type ReactNode, type SubmitEvent } from 'react';

import { grantsQuery, useGrantCommands } from '@/api/shares';
import type { Grant, Permission } from '@/api/types';
import { ErrorState } from '@/components/ui/error-state';
import { fieldError } from '@/components/ui/field-error';
import { notifyDone, notifyError } from '@/components/ui/notify';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-share';

const PERMISSIONS = (['view', 'edit'] as const).map((value) => ({
  value,
  label: t(`share.permission.${value}`),
}));

/** Single accounts that may read one transcript, or name its speakers too. */
export function GrantsPart({ jobId }: { jobId: string }) {
  const found = useQuery(grantsQuery(jobId));
  if (found.isError && !found.data) {
    return <ErrorState error={found.error} onRetry={() => void found.refetch()} />;
  }
  return (
    <section>
      <Title order={3} fz="md" mb={4}>
        {t('share.withPeople')}
      </Title>
      <Text size="sm" c="dimmed" mb="sm">
        {t('share.withPeopleText')}
      </Text>
      <Stack gap="md">
        <GrantForm jobId={jobId} />
        {found.data ? null : <Skeleton height={48} />}
        <Stack component="ul" gap="sm" p={0} m={0} style={{ listStyle: 'none' }}>
          {(found.data?.items ?? []).map((grant) => (
            <GrantRow key={grant.user_id} jobId={jobId} grant={grant} />
          ))}
        </Stack>
      </Stack>
    </section>
  );
}

function GrantForm({ jobId }: { jobId: string }) {
  const { put } = useGrantCommands(jobId);
  const [email, setEmail] = useState('');
  const [permission, setPermission] = useState<Permission>('view');
  const [error, setError] = useState<ReactNode>(null);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    put.mutate(
      { email: email.trim(), permission },
      {
        onSuccess: (grant) => {
          notifyDone(t('share.given', { name: grant.name ?? grant.email }));
          setEmail('');
        },
        onError: (failure) => {
          setError(fieldError(failure));
        },
      },
    );
  };
  return (
    <form onSubmit={submit} noValidate>
      <Group align="flex-start" gap="sm">
        <TextInput
          style={{ flex: '1 1 200px' }}
          label={t('field.email')}
          type="email"
          autoComplete="off"
          value={email}
          error={error}
          onChange={(event) => {
            setError(null);
            setEmail(event.currentTarget.value);
          }}
        />
        <NativeSelect
          style={{ flex: '0 1 190px' }}
          label={t('share.permission')}
          value={permission}
          data={PERMISSIONS}
          onChange={(event) => {
            setPermission(event.currentTarget.value as Permission);
          }}
        />
        <Button type="submit" mt={25} loading={put.isPending} disabled={!email.trim()}>
          {t('share.give')}
        </Button>
      </Group>
    </form>
  );
}

function GrantRow({ jobId, grant }: { jobId: string; grant: Grant }) {
  const { put, remove } = useGrantCommands(jobId);
  const name = grant.name ?? grant.email;
  const failed = (error: unknown) => {
    notifyError(error);
  };
  return (
    <Group component="li" justify="space-between" gap="xs">
      <div style={{ flex: '1 1 180px', minWidth: 0 }}>
        <Text size="sm" fw={500} truncate>
          {name}
        </Text>
        {grant.name ? (
          <Text size="sm" c="dimmed" truncate>
            {grant.email}
          </Text>
        ) : null}
      </div>
      <Group gap="xs" wrap="nowrap">
        <NativeSelect
          size="xs"
          aria-label={t('share.permissionOf', { name })}
          value={grant.permission}
          data={PERMISSIONS}
          onChange={(event) => {
            const permission = event.currentTarget.value as Permission;
            put.mutate({ email: grant.email, permission }, { onError: failed });
          }}
        />
        <Button
          variant="default"
          size="xs"
          aria-label={t('share.takeOf', { name })}
          onClick={() => {
            remove.mutate(grant.user_id, { onError: failed });
          }}
        >
          {t('share.take')}
        </Button>
      </Group>
    </Group>
  );
}
