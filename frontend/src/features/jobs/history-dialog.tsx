import { Skeleton } from '@mantine/core';
import { modals } from '@mantine/modals';
import { lazy, Suspense } from 'react';

import type { Job } from '@/api/types';
import { t } from '@/lib/i18n';

// Few look at it: it comes when it is asked for.
const HistoryView = lazy(() =>
  import('./history-view').then((part) => ({ default: part.HistoryView })),
);

export function openHistory(job: Pick<Job, 'id' | 'filename'>): void {
  modals.open({
    title: t('job.historyOf', { name: job.filename }),
    size: 'lg',
    children: (
      <Suspense fallback={<Skeleton height={160} />}>
        <HistoryView jobId={job.id} />
      </Suspense>
    ),
  });
}
