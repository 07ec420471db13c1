import { Group } from '@mantine/core';
import { IconArrowLeft, IconLinkOff } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useParams, useSearch } from '@tanstack/react-router';

import { sharedJobQuery, type SharedSource } from '@/api/shared';
import { isActive, type SharedJob } from '@/api/types';
import { EmptyState } from '@/components/ui/empty-state';
import { ErrorState } from '@/components/ui/error-state';
import { LinkAnchor } from '@/components/ui/link-anchor';
import { PageLoader } from '@/components/ui/plain-states';
import { SharedView } from '@/features/transcript/shared-view';
import { useLiveShared } from '@/hooks/use-live-shared';
import { useTitle } from '@/hooks/use-title';
import { ApiError } from '@/lib/errors';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-share';

/** One transcript that was shared with the account that is signed in. */
export function SharedJobPage() {
  const { jobId } = useParams({ from: '/signed-in/shared/$jobId' });
  const job = useQuery(sharedJobQuery(jobId));
  const gone = job.error instanceof ApiError && job.error.status === 404;
  useTitle(gone ? t('shared.gone') : (job.data?.title ?? ''));
  if (gone) {
    return (
      <EmptyState
        live
        icon={<IconLinkOff size={30} />}
        title={t('shared.gone')}
        text={t('shared.goneAccount')}
      >
        <Back />
      </EmptyState>
    );
  }
  if (!job.data) {
    if (!job.isError) return <PageLoader />;
    return <ErrorState error={job.error} onRetry={() => void job.refetch()} />;
  }
  return <Reading key={jobId} job={job.data} />;
}

function Reading({ job }: { job: SharedJob }) {
  const { t: startSeconds } = useSearch({ from: '/signed-in/shared/$jobId' });
  const source: SharedSource = { kind: 'account', jobId: job.id };
  const live = useLiveShared(source, isActive(job));
  const known = {
    progress: job.progress,
    stage: job.stage as null,
    eta_seconds: job.eta_seconds,
  };
  return (
    <SharedView
      source={source}
      title={job.title}
      progress={{ ...known, ...live, status: job.status }}
      canEdit={job.permission === 'edit'}
      allowDownload
      startSeconds={startSeconds}
      back={<Back />}
    />
  );
}

function Back() {
  return (
    <LinkAnchor to="/shared" size="sm" c="dimmed" py={6}>
      <Group gap={6} component="span">
        <IconArrowLeft size={16} aria-hidden="true" />
        {t('shared.back')}
      </Group>
    </LinkAnchor>
  );
}
