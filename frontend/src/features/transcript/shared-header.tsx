import { Button, Group, Text, Title } from '@mantine/core';
import { IconCopy } from '@tabler/icons-react';
import type { ReactNode } from 'react';

import { downloadShared, soundToSave, type SharedSource } from '@/api/shared';
import type { SharedProgress } from '@/api/shared-live';
import type { TranscriptResult } from '@/api/types';
import { LowAccuracyBadge } from '@/components/ui/low-accuracy-badge';
import { notifyDone, notifyError } from '@/components/ui/notify';
import { copyText, saveFrom } from '@/lib/download';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-share';

import { CompletenessLine } from './completeness';
import { DownloadMenu } from './download-menu';
import { completenessOf } from './review';
import classes from './transcript.module.css';

interface Props {
  source: SharedSource;
  title: string;
  progress: SharedProgress;
  result: TranscriptResult | undefined;
  canEdit: boolean;
  allowDownload: boolean;
  back: ReactNode;
}

export function SharedHeader({
  source,
  title,
  progress,
  result,
  canEdit,
  allowDownload,
  back,
}: Props) {
  const text = result?.text ?? '';
  const whole = progress.status === 'completed';
  const completeness = result ? completenessOf(result) : null;
  const copy = async () => {
    if (await copyText(text)) notifyDone(t('transcript.copied'));
    else notifyError(null, t('action.copyFailed'));
  };
  return (
    <header>
      {back}
      <Title order={1} className={classes.title} dir="auto" mb={8}>
        {title}
      </Title>
      {result?.low_accuracy ? <LowAccuracyBadge /> : null}
      {whole && completeness ? <CompletenessLine value={completeness} /> : null}
      {canEdit && result?.speakers.length ? (
        <Text size="sm" c="dimmed" mb={8}>
          {t('shared.canEdit')}
        </Text>
      ) : null}
      {text ? (
        <Group gap="xs">
          {allowDownload && whole ? (
            <DownloadMenu
              onText={(format) => downloadShared(source, format)}
              onSound={async () => {
                saveFrom(await soundToSave(source));
              }}
            />
          ) : null}
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
