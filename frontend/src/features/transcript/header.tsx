import { Button, Group, Title } from '@mantine/core';
import { IconArrowLeft, IconCopy } from '@tabler/icons-react';
import type { ReactNode } from 'react';

import type { Job, TranscriptResult } from '@/api/types';
import { LinkAnchor } from '@/components/ui/link-anchor';
import { LowAccuracyBadge } from '@/components/ui/low-accuracy-badge';
import { StatusBadge } from '@/components/ui/status-badge';
import { copyText } from '@/lib/download';
import { clock, fullDate, speed } from '@/lib/format';
import { t } from '@/lib/i18n';
import { engineName } from '@/lib/job-text';
import { notifyDone, notifyError } from '@/components/ui/notify';

import { DownloadMenu } from './download-menu';
import { isWhole, originOf } from './model';
import classes from './transcript.module.css';

interface Props {
  job: Job;
  result: TranscriptResult | undefined;
  languageName: (code: string) => string;
  menu: ReactNode;
}

export function TranscriptHeader({ job, result, languageName, menu }: Props) {
  const text = result?.text ?? '';
  const copy = async () => {
    if (await copyText(text)) notifyDone(t('transcript.copied'));
    else notifyError(null, t('action.copyFailed'));
  };
  const origin = originOf(job, result);
  const language = result?.language ?? job.language;
  return (
    <header>
      <LinkAnchor to="/jobs" search={{}} size="sm" className={classes.meta} py={6}>
        <Group gap={6} component="span">
          <IconArrowLeft size={16} aria-hidden="true" />
          {t('transcript.back')}
        </Group>
      </LinkAnchor>
      <Group justify="space-between" wrap="nowrap" align="flex-start" gap="xs">
        <Title order={1} className={classes.title} dir="auto">
          {job.filename}
        </Title>
        {menu}
      </Group>
      <Group gap={8} my={8}>
        <StatusBadge job={job} />
        {origin.lowAccuracy ? <LowAccuracyBadge /> : null}
      </Group>
      <p className={`tabular ${classes.meta ?? ''}`} style={{ margin: '0 0 12px' }}>
        {job.duration_ms == null ? null : <span>{clock(job.duration_ms)}</span>}
        {language && language !== 'auto' ? <span>{languageName(language)}</span> : null}
        {origin.engine ? <span>{engineName(origin.engine, origin.model)}</span> : null}
        {job.real_time_factor && !result?.previous ? (
          <span>{t('transcript.details', { speed: speed(job.real_time_factor) })}</span>
        ) : null}
        <time dateTime={job.created_at}>{fullDate(job.created_at)}</time>
      </p>
      {text ? (
        <Group gap="xs">
          {isWhole(job, result) ? <DownloadMenu jobId={job.id} /> : null}
          <Button
            h={44}
            variant="default"
            leftSection={<IconCopy size={18} />}
            onClick={() => void copy()}
          >
            {t('transcript.copyAll')}
          </Button>
        </Group>
      ) : null}
    </header>
  );
}
