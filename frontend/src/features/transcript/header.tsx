import { Button, Group, Title } from '@mantine/core';
import { IconArrowLeft, IconCopy } from '@tabler/icons-react';
import type { ReactNode } from 'react';

import { downloadTranscript } from '@/api/jobs';
import type { Job, TranscriptResult } from '@/api/types';
import { LinkAnchor } from '@/components/ui/link-anchor';
import { LowAccuracyBadge } from '@/components/ui/low-accuracy-badge';
import { StatusBadge } from '@/components/ui/status-badge';
import { copyText } from '@/lib/download';
import { t } from '@/lib/i18n';
import { notifyDone, notifyError } from '@/components/ui/notify';

import { CompletenessLine } from './completeness';
import { DownloadMenu } from './download-menu';
import { isWhole, originOf } from './model';
import { Provenance } from './provenance';
import { completenessOf } from './review';
import classes from './transcript.module.css';

interface Props {
  job: Job;
  result: TranscriptResult | undefined;
  languageName: (code: string) => string;
  menu: ReactNode;
  /** Further things to do with the text, beside those that stand here. */
  actions: ReactNode;
  onRunAgain: () => void;
}

export function TranscriptHeader({ job, result, languageName, menu, actions, onRunAgain }: Props) {
  const text = result?.text ?? '';
  const copy = async () => {
    if (await copyText(text)) notifyDone(t('transcript.copied'));
    else notifyError(null, t('action.copyFailed'));
  };
  const origin = originOf(job, result);
  const whole = isWhole(job, result);
  const completeness = completenessOf(result ?? job);
  return (
    <header>
      <LinkAnchor to="/jobs" search={{}} size="sm" className={classes.back} py={6}>
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
      <Provenance job={job} result={result} languageName={languageName} onRunAgain={onRunAgain} />
      {whole && completeness ? <CompletenessLine value={completeness} /> : null}
      {text || actions ? (
        <Group gap="xs">
          {text && whole ? (
            <DownloadMenu onText={(format) => downloadTranscript(job.id, format)} />
          ) : null}
          {text ? (
            <Button
              h={44}
              variant="default"
              leftSection={<IconCopy size={18} />}
              onClick={() => void copy()}
            >
              {t('transcript.copyAll')}
            </Button>
          ) : null}
          {actions}
        </Group>
      ) : null}
    </header>
  );
}
