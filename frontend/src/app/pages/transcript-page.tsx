import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';

import { jobQuery, resultQuery } from '@/api/jobs';
import { useOptions } from '@/api/options';
import { isActive } from '@/api/types';
import { ErrorState } from '@/components/ui/error-state';
import { PageLoader } from '@/components/ui/plain-states';
import { JobMenu } from '@/features/jobs/job-menu';
import { openRerun } from '@/features/jobs/rerun-dialog';
import { useJobCommands } from '@/features/jobs/use-job-commands';
import { ShareButton } from '@/features/share/share-button';
import { TranscriptView } from '@/features/transcript/transcript-view';
import { useLiveJob } from '@/hooks/use-live';
import { useWorkspace } from '@/hooks/use-workspace';
import { useTitle } from '@/hooks/use-title';
import { ApiError } from '@/lib/errors';
import { percent } from '@/lib/format';
import { downloadCommand } from '@/lib/job-text';

import { Elsewhere } from './elsewhere';

export function TranscriptPage() {
  const { jobId } = useParams({ from: '/signed-in/t/$jobId' });
  const { t: startSeconds } = useSearch({ from: '/signed-in/t/$jobId' });
  const navigate = useNavigate();
  const commands = useJobCommands();
  const options = useOptions().data;
  const jobState = useQuery(jobQuery(jobId));
  const result = useQuery(resultQuery(jobId));
  const job = jobState.data;
  const active = job ? isActive(job) : false;
  const mayShare = useWorkspace()?.role !== 'viewer';
  useLiveJob(jobId, active, job?.attempt ?? 0);
  const share = job?.status === 'processing' ? `${percent(job.progress)} · ` : '';
  useTitle(job ? `${share}${job.filename}` : '');

  if (jobState.isError && !job) {
    const gone = jobState.error instanceof ApiError && jobState.error.status === 404;
    if (gone) return <Elsewhere jobId={jobId} />;
    return <ErrorState error={jobState.error} onRetry={() => void jobState.refetch()} />;
  }
  if (!job) return <PageLoader />;
  return (
    <TranscriptView
      key={jobId}
      job={job}
      result={result.data}
      resultError={result.error}
      onReload={() => void result.refetch()}
      startSeconds={startSeconds}
      languageName={(code) =>
        options?.languages.find((language) => language.code === code)?.name ?? code
      }
      command={downloadCommand(options?.models ?? [])}
      actions={mayShare ? <ShareButton jobId={jobId} name={job.filename} /> : null}
      menu={<JobMenu job={job} onDeleted={() => void navigate({ to: '/jobs', search: {} })} />}
      onCancel={() => {
        commands.cancel(job);
      }}
      onRetry={() => {
        commands.retry(job);
      }}
      onRunAgain={() => {
        openRerun(job, (made) => void navigate({ to: '/t/$jobId', params: { jobId: made } }));
      }}
    />
  );
}
