import { Group, Progress, Stack, Text } from '@mantine/core';

import type { Job } from '@/api/types';
import { etaText, stageText } from '@/lib/job-text';
import { t } from '@/lib/i18n';

import { MarkedText } from './marked-text';

type Shown = Pick<Job, 'status' | 'progress' | 'stage' | 'eta_seconds' | 'filename'> &
  Partial<Pick<Job, 'wait_reason' | 'cancel_requested'>>;

/** Stage in plain words, bar and time left of a job under way. */
export function JobProgress({ job }: { job: Shown }) {
  const value = Math.round(job.progress * 100);
  const eta = etaText(job);
  return (
    <Stack gap={6} miw={0}>
      <Group justify="space-between" gap="xs">
        <Text size="sm" className="tabular">
          <MarkedText text={stageText(job)} />
        </Text>
        {eta ? (
          <Text size="sm" c="dimmed" className="tabular">
            {eta}
          </Text>
        ) : null}
      </Group>
      {job.status === 'processing' ? (
        <Progress.Root size="sm">
          <Progress.Section
            value={value}
            animated
            aria-label={t('job.progress', { name: job.filename })}
          />
        </Progress.Root>
      ) : null}
    </Stack>
  );
}
