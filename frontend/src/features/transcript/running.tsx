import { Button, Group, Loader, Text, VisuallyHidden } from '@mantine/core';

import type { Job } from '@/api/types';
import { JobProgress } from '@/components/ui/job-progress';
import { RetryNow } from '@/components/ui/retry-now';
import { plainText } from '@/lib/code-parts';
import { t } from '@/lib/i18n';
import { stageText } from '@/lib/job-text';

import classes from './transcript.module.css';

/** Stage bar of a job under way. */
export function RunningPanel({ job, onCancel }: { job: Job; onCancel: () => void }) {
  // Announced at every quarter, not at every tick.
  const quarter = Math.floor(job.progress * 4) * 25;
  const spoken = stageText({ ...job, progress: quarter / 100 });
  return (
    <section className="card" style={{ padding: 16, marginTop: 16 }}>
      <JobProgress job={job} />
      <RetryNow job={job} />
      <VisuallyHidden role="status">{plainText(spoken)}</VisuallyHidden>
      <Group justify="space-between" mt="sm" gap="xs">
        <Text size="sm" c="dimmed">
          {t('transcript.leaveSafe')}
        </Text>
        <Button size="sm" variant="default" disabled={job.cancel_requested} onClick={onCancel}>
          {t('job.cancel')}
        </Button>
      </Group>
    </section>
  );
}

export function MoreToCome({ empty }: { empty: boolean }) {
  return (
    <div className={classes.live}>
      <Loader size="xs" type="dots" aria-hidden="true" />
      {empty ? t('transcript.waiting') : t('transcript.live')}
    </div>
  );
}
