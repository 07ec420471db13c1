import { ActionIcon, Menu } from '@mantine/core';
import {
  IconBan,
  IconCopy,
  IconDots,
  IconHistory,
  IconRefresh,
  IconSparkles,
  IconTrash,
} from '@tabler/icons-react';

import { useNavigate } from '@tanstack/react-router';

import { isActive, type Job } from '@/api/types';
import { copyText } from '@/lib/download';
import { t } from '@/lib/i18n';

import { openHistory } from './history-dialog';
import { openRerun } from './rerun-dialog';
import { useJobCommands } from './use-job-commands';

export function JobMenu({ job, onDeleted }: { job: Job; onDeleted?: () => void }) {
  const commands = useJobCommands(onDeleted);
  const navigate = useNavigate();
  const openJob = (jobId: string) => void navigate({ to: '/t/$jobId', params: { jobId } });
  const active = isActive(job);
  const ended = job.status === 'failed' || job.status === 'cancelled';
  const name = t('jobs.actionsFor', { name: job.filename });
  return (
    <Menu position="bottom-end" width={260}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size={44} aria-label={name}>
          <IconDots size={20} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown aria-label={name}>
        {active ? (
          <Menu.Item
            leftSection={<IconBan size={18} />}
            disabled={job.cancel_requested}
            onClick={() => {
              commands.cancel(job);
            }}
          >
            {t('job.cancel')}
          </Menu.Item>
        ) : null}
        {ended ? (
          <Menu.Item
            leftSection={<IconRefresh size={18} />}
            onClick={() => {
              commands.retry(job);
            }}
          >
            {t('job.retry')}
          </Menu.Item>
        ) : null}
        {active ? null : (
          <Menu.Item
            leftSection={<IconSparkles size={18} />}
            onClick={() => {
              openRerun(job, openJob);
            }}
          >
            {job.low_accuracy ? t('job.runAgainReal') : t('job.runAgain')}
          </Menu.Item>
        )}
        <Menu.Item
          leftSection={<IconHistory size={18} />}
          onClick={() => {
            openHistory(job);
          }}
        >
          {t('job.history')}
        </Menu.Item>
        <Menu.Item leftSection={<IconCopy size={18} />} onClick={() => void copyText(job.id)}>
          {t('job.copyId')}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item
          style={{ color: 'var(--mantine-color-error)' }}
          leftSection={<IconTrash size={18} />}
          onClick={() => {
            commands.remove(job);
          }}
        >
          {t('job.delete')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
