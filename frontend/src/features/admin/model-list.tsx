import { Skeleton, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useId } from 'react';

import { modelsQuery } from '@/api/models';
import { optionsQuery } from '@/api/options';
import type { ManagedModel } from '@/api/types';
import { ErrorState } from '@/components/ui/error-state';
import { MarkedText } from '@/components/ui/marked-text';
import { bytes } from '@/lib/format';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-settings';
import { engineName } from '@/lib/job-text';

import { ModelCard } from './model-card';
import classes from './models.module.css';

/** Every model that the server knows, by what it is for. */
export function ModelList() {
  const query = useQuery(modelsQuery);
  if (query.isError && !query.data) {
    return (
      <ErrorState
        error={query.error}
        title={t('models.loadFailed')}
        onRetry={() => void query.refetch()}
      />
    );
  }
  if (!query.data) {
    return (
      <Stack role="status" aria-label={t('loading')}>
        {[1, 2, 3].map((row) => (
          <Skeleton key={row} height={104} radius="lg" />
        ))}
      </Stack>
    );
  }
  const { items, folder, free_bytes: free } = query.data;
  const of = (kind: ManagedModel['kind']) => items.filter((model) => model.kind === kind);
  return (
    <Stack gap="xl">
      <Text c="dimmed">
        <MarkedText text={t('models.text', { folder: `\`${folder}\``, free: bytes(free) })} />
      </Text>
      {items.some((model) => model.kind === 'speech' && model.default) ? null : <OwnModel />}
      <Group title={t('models.speech')} models={of('speech')} free={free} />
      <Group title={t('models.speakers')} models={of('speakers')} free={free} />
    </Stack>
  );
}

/** WHISPER_MODEL names a file that is none of these: what new jobs use then, or why they wait. */
function OwnModel() {
  const { data } = useQuery(optionsQuery);
  if (!data) return null;
  const { engine, model, reason } = data.default_engine;
  return (
    <Text>
      <MarkedText
        text={
          engine
            ? t('models.own', { name: engineName(engine, model) })
            : t('models.ownMissing', { reason: reason ?? '' })
        }
      />
    </Text>
  );
}

interface GroupProps {
  title: string;
  models: readonly ManagedModel[];
  free: number;
}

function Group({ title, models, free }: GroupProps) {
  const id = useId();
  if (models.length === 0) return null;
  return (
    <section aria-labelledby={id}>
      <Title order={2} id={id} mb="sm">
        {title}
      </Title>
      <ul className={classes.cards}>
        {models.map((model) => (
          <ModelCard key={model.name} model={model} freeBytes={free} />
        ))}
      </ul>
    </section>
  );
}
