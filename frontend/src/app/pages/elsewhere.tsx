import { useQuery } from '@tanstack/react-query';
import { Navigate } from '@tanstack/react-router';
import { useEffect } from 'react';

import { currentWorkspace } from '@/api/current-workspace';
import { session } from '@/api/session';
import { isSharedWithMe } from '@/api/shared';
import { workspaceOfJob } from '@/api/workspaces';
import { notifyDone } from '@/components/ui/notify';
import { PageLoader } from '@/components/ui/plain-states';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-workspaces';

import { NotFoundPage } from './states';

/** A link to a transcript of another workspace of this user leads there; one that was shared, to where it is read. */
export function Elsewhere({ jobId }: { jobId: string }) {
  const found = useQuery({
    queryKey: ['elsewhere', jobId],
    queryFn: async () => ({
      workspace: await workspaceOfJob(jobId),
      shared: await isSharedWithMe(jobId),
    }),
    retry: false,
    refetchOnWindowFocus: false,
  });
  const workspace = found.data?.workspace;
  useEffect(() => {
    if (!workspace) return;
    const name = session.user?.workspaces.find(({ id }) => id === workspace)?.name ?? '';
    currentWorkspace.choose(workspace);
    notifyDone(t('workspaces.elsewhere', { name }));
  }, [workspace]);
  if (found.isPending || workspace) return <PageLoader />;
  if (found.data?.shared) return <Navigate to="/shared/$jobId" params={{ jobId }} replace />;
  return <NotFoundPage />;
}
