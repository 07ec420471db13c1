import { Stack, Text } from '@mantine/core';

import type { Usage } from '@/api/types';
import { Meter } from '@/components/ui/meter';
import { bytes, count } from '@/lib/format';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-workspaces';

/** Everything that may have a limit, against it. */
export function UsageMeters({ usage }: { usage: Usage }) {
  const { minutes, storage_bytes: storage, parallel_jobs: parallel, members } = usage;
  const limited = [minutes, storage, parallel, members].some(({ limit }) => limit !== null);
  return (
    <section className="card" style={{ padding: 24 }} aria-label={t('usage.title')}>
      <Stack gap="lg">
        <Meter
          label={t('usage.minutes')}
          used={minutes.used + minutes.reserved}
          limit={minutes.limit}
          say={count}
          note={
            minutes.reserved > 0
              ? t('usage.reserved', { count: count(minutes.reserved) })
              : undefined
          }
        />
        <Meter label={t('usage.storage')} used={storage.used} limit={storage.limit} say={bytes} />
        <Meter
          label={t('usage.parallel')}
          used={parallel.running}
          limit={parallel.limit}
          say={count}
        />
        <Meter label={t('usage.members')} used={members.count} limit={members.limit} say={count} />
      </Stack>
      {limited ? (
        <Text size="sm" c="dimmed" mt="lg">
          {t('usage.raise')}
        </Text>
      ) : null}
    </section>
  );
}
