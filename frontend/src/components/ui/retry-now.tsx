import { Button, Group, Text } from '@mantine/core';
import { IconPlayerSkipForward } from '@tabler/icons-react';

import { useJobActions } from '@/api/jobs';
import type { Job } from '@/api/types';
import { useNow } from '@/hooks/use-now';
import { clock } from '@/lib/format';
import { t } from '@/lib/i18n';
import { canHurry, untilNextTry } from '@/lib/wait';

import { notifyDone, notifyError } from './notify';

/** Of a job that waits: when it is tried next, counted down, and the way not to wait for that. */
export function RetryNow({ job }: { job: Job }) {
  return job.status === 'pending' && job.run_after ? <Countdown job={job} /> : null;
}

function Countdown({ job }: { job: Job }) {
  const now = useNow(1000);
  const left = untilNextTry(job, now);
  const hurries = canHurry(job, now);
  if (left === null && !hurries) return null;
  return (
    <Group gap="xs" mt={6}>
      {left === null ? null : (
        <Text size="sm" c="dimmed" className="tabular">
          {t('wait.nextTry', { time: clock(left + 999) })}
        </Text>
      )}
      {hurries ? <Hurry job={job} /> : null}
    </Group>
  );
}

function Hurry({ job }: { job: Job }) {
  const { hurry } = useJobActions();
  return (
    <Button
      size="compact-sm"
      h={32}
      variant="light"
      leftSection={<IconPlayerSkipForward size={16} />}
      loading={hurry.isPending}
      onClick={() => {
        hurry.mutate(job.id, {
          onSuccess: () => {
            notifyDone(t('wait.hurried', { name: job.filename }));
          },
          onError: (error) => {
            notifyError(error);
          },
        });
      }}
    >
      {t('wait.retryNow')}
    </Button>
  );
}
