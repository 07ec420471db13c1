import { Badge, Group, Stack, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';

import { isActive, type Job } from '@/api/types';
import { JobProgress } from '@/components/ui/job-progress';
import { LowAccuracyBadge } from '@/components/ui/low-accuracy-badge';
import { MarkedText } from '@/components/ui/marked-text';
import { StatusBadge } from '@/components/ui/status-badge';
import { plainText } from '@/lib/code-parts';
import { ago, clock, fullDate } from '@/lib/format';
import { tn } from '@/lib/i18n';

import { RetryNow } from '@/components/ui/retry-now';

import { JobMenu } from './job-menu';
import classes from './jobs.module.css';
import { SelectBox } from './select-box';

export function JobState({ job }: { job: Job }) {
  const notes = job.warnings.filter((warning) => warning.code !== 'low_accuracy');
  return (
    <div className={classes.state}>
      {isActive(job) ? <UnderWay job={job} /> : null}
      {isActive(job) ? null : (
        <Group gap={6}>
          <StatusBadge job={job} />
          {job.low_accuracy ? <LowAccuracyBadge /> : null}
          {notes.length > 0 ? (
            <Badge
              color="yellow"
              size="lg"
              title={notes.map((note) => plainText(note.message)).join('\n')}
              leftSection={<IconAlertTriangle size={14} aria-hidden="true" />}
            >
              {tn('job.warnings', notes.length)}
            </Badge>
          ) : null}
        </Group>
      )}
      {job.status === 'failed' && job.error ? (
        <Text size="sm" c="var(--mantine-color-error)" lineClamp={2} mt={4}>
          <MarkedText text={job.error.message} />
        </Text>
      ) : null}
    </div>
  );
}

/** What waits for something, or for another try, has its sign beside the reason; else the stage says it. */
function UnderWay({ job }: { job: Job }) {
  if (job.status !== 'pending' || !(job.wait_reason ?? job.error)) return <JobProgress job={job} />;
  return (
    <Stack gap={6} align="flex-start">
      <StatusBadge job={job} />
      <JobProgress job={job} />
    </Stack>
  );
}

interface Props {
  job: Job;
  now: number;
  selected: boolean;
  onSelect: (id: string, range: boolean) => void;
}

/** One row; by CSS a table row on a desktop, a card on a phone. */
export function JobRow({ job, now, selected, onSelect }: Props) {
  return (
    <tr className={classes.row} data-job={job.id} data-selected={selected || undefined}>
      <td className={classes.boxCell}>
        <SelectBox
          name={job.filename}
          checked={selected}
          onChange={(range) => {
            onSelect(job.id, range);
          }}
        />
      </td>
      <td className={classes.name}>
        <Link
          to="/t/$jobId"
          params={{ jobId: job.id }}
          search={{}}
          className={classes.link}
          dir="auto"
        >
          {job.filename}
        </Link>
        <Text size="sm" c="dimmed" className={`tabular ${classes.phoneOnly ?? ''}`}>
          {job.duration_ms == null ? '' : `${clock(job.duration_ms)} · `}
          {ago(job.created_at, now)}
        </Text>
      </td>
      <td className={classes.status}>
        <JobState job={job} />
        <RetryNow job={job} />
      </td>
      <td className={`tabular ${classes.desktopOnly ?? ''}`}>
        {job.duration_ms == null ? '–' : clock(job.duration_ms)}
      </td>
      <td className={classes.desktopOnly}>
        <time dateTime={job.created_at} title={fullDate(job.created_at)}>
          {ago(job.created_at, now)}
        </time>
      </td>
      <td className={classes.menu}>
        <JobMenu job={job} />
      </td>
    </tr>
  );
}
