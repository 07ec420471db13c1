import { modals } from '@mantine/modals';

import { useJobActions } from '@/api/jobs';
import type { Job } from '@/api/types';
import { t } from '@/lib/i18n';
import { notifyDone, notifyError } from '@/components/ui/notify';

/** What a person can do with a job, with its questions and messages. */
export function useJobCommands(onDeleted?: () => void) {
  const { cancel, retry, remove } = useJobActions();
  const onError = (error: unknown) => {
    notifyError(error);
  };
  return {
    busy: cancel.isPending || retry.isPending || remove.isPending,
    cancel: (job: Job) => {
      cancel.mutate(job.id, {
        onSuccess: () => {
          notifyDone(t('job.cancelled', { name: job.filename }));
        },
        onError,
      });
    },
    retry: (job: Job) => {
      retry.mutate(
        { id: job.id },
        {
          onSuccess: () => {
            notifyDone(t('job.retried', { name: job.filename }));
          },
          onError,
        },
      );
    },
    remove: (job: Job) => {
      modals.openConfirmModal({
        title: t('job.deleteTitle'),
        children: t('job.deleteText', { name: job.filename }),
        labels: { confirm: t('action.delete'), cancel: t('action.cancel') },
        confirmProps: { color: 'red' },
        onConfirm: () => {
          remove.mutate(job.id, {
            onSuccess: () => {
              notifyDone(t('job.deleted', { name: job.filename }));
              onDeleted?.();
            },
            onError,
          });
        },
      });
    },
  };
}
