import { Alert, Button, Center, Skeleton, Stack, Text } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';

import { historyQuery } from '@/api/history';
import { jobQuery } from '@/api/jobs';
import type { HistoryItem, HistoryPage, Job } from '@/api/types';
import { CopyField } from '@/components/ui/copy-field';
import { ErrorState } from '@/components/ui/error-state';
import { FailureDetails } from '@/components/ui/failure-details';
import { JobProgress } from '@/components/ui/job-progress';
import { MarkedText } from '@/components/ui/marked-text';
import { RetryNow } from '@/components/ui/retry-now';
import { t, tn } from '@/lib/i18n';
import '@/lib/i18n/en-history';

import { HistoryEntry } from './history-entry';
import classes from './history.module.css';

/** What happened to a job, the newest first; where it waits or failed, why and what to do comes before. */
export function HistoryView({ jobId }: { jobId: string }) {
  const job = useQuery(jobQuery(jobId)).data;
  const query = useInfiniteQuery(historyQuery(jobId));
  if (query.isPending) {
    return (
      <div role="status" aria-label={t('loading')}>
        <Skeleton height={160} />
      </div>
    );
  }
  if (!query.data) {
    return (
      <ErrorState
        error={query.error}
        title={t('history.loadFailed')}
        onRetry={() => void query.refetch()}
      />
    );
  }
  const entries = query.data.pages.flatMap((page) => page.items);
  const tries = query.data.pages[0]?.tries;
  // Told in full above the list: the entry of the same failure need not say it again.
  const told = job?.status === 'failed' && job.error ? newestFailure(entries) : undefined;
  return (
    <Stack gap="md">
      {tries ? <Tries tries={tries} /> : null}
      {job ? <Standing job={job} /> : null}
      {entries.length === 0 ? <Text c="dimmed">{t('history.none')}</Text> : null}
      <ol className={classes.list} aria-label={t('history.list')}>
        {entries.map((entry) => (
          <HistoryEntry key={entry.id} entry={entry} told={entry.id === told} />
        ))}
      </ol>
      {query.hasNextPage ? (
        <Center>
          <Button
            variant="default"
            loading={query.isFetchingNextPage}
            onClick={() => void query.fetchNextPage()}
          >
            {t('history.earlier')}
          </Button>
        </Center>
      ) : null}
    </Stack>
  );
}

function newestFailure(entries: readonly HistoryItem[]): string | undefined {
  return entries.find((entry) => entry.kind === 'failed')?.id;
}

/** The counters by which the server gives a job up. */
function Tries({ tries }: { tries: HistoryPage['tries'] }) {
  const parts = [
    t('history.attempt', { n: tries.attempt }),
    ...(tries.engine_errors ? [tn('history.engineErrors', tries.engine_errors)] : []),
    ...(tries.engine_crashes ? [tn('history.engineCrashes', tries.engine_crashes)] : []),
    ...(tries.host_losses ? [tn('history.hostLosses', tries.host_losses)] : []),
  ];
  return (
    <Text size="sm" c="dimmed" className="tabular">
      {parts.join(' · ')}
    </Text>
  );
}

function Standing({ job }: { job: Job }) {
  if (job.status === 'pending') {
    return (
      <div className={classes.standing}>
        <JobProgress job={job} />
        <RetryNow job={job} />
      </div>
    );
  }
  if (job.status !== 'failed' || !job.error) return null;
  return (
    <Alert color="red" variant="light" title={<MarkedText text={job.error.message} />}>
      <Stack gap="xs">
        <FailureDetails error={job.error} />
        <CopyField label={t('error.jobId')} value={job.id} />
      </Stack>
    </Alert>
  );
}
