import { ActionIcon, Skeleton, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconKeyboard, IconMicrophoneOff } from '@tabler/icons-react';
import { useEffect, useState, type ReactNode } from 'react';

import { isActive, type Job, type TranscriptResult } from '@/api/types';
import { EmptyState } from '@/components/ui/empty-state';
import { ErrorState } from '@/components/ui/error-state';
import { STORAGE } from '@/config/constants';
import { t } from '@/lib/i18n';
import { readJson, writeJson } from '@/lib/storage';

import { TranscriptHeader } from './header';
import { KeysHelp } from './keys-help';
import { useMedia } from './media';
import { isWhole } from './model';
import { Notices } from './notices';
import { Player } from './player';
import { PlayerBar } from './player-bar';
import { MoreToCome, RunningPanel } from './running';
import { SegmentList } from './segment-list';
import classes from './transcript.module.css';
import { usePlayerKeys } from './use-player-keys';

export interface TranscriptViewProps {
  job: Job;
  result: TranscriptResult | undefined;
  resultError: Error | null;
  onReload: () => void;
  startSeconds: number | undefined;
  languageName: (code: string) => string;
  command: string;
  menu: ReactNode;
  onCancel: () => void;
  onRetry: () => void;
  onRunAgain: () => void;
}

export function TranscriptView(props: TranscriptViewProps) {
  const { job, result, startSeconds } = props;
  const [player] = useState(() => new Player());
  const [help, helpControl] = useDisclosure(false);
  const [singleKeys, setSingleKeys] = useState(() => readJson<boolean>(STORAGE.keys, true));
  const segments = result?.segments ?? [];
  const active = isActive(job);
  const earlier = active && Boolean(result?.previous) && segments.length > 0;
  const media = useMedia(player, job.file_id, segments.length > 0 && isWhole(job, result));
  usePlayerKeys({ player, singleKeys, onHelp: helpControl.open });
  useEffect(() => {
    if (startSeconds) player.seek(startSeconds * 1000);
  }, [player, startSeconds]);

  return (
    <div className={classes.frame}>
      <TranscriptHeader
        job={job}
        result={result}
        languageName={props.languageName}
        menu={props.menu}
      />
      {active ? <RunningPanel job={job} onCancel={props.onCancel} /> : null}
      <Notices
        job={job}
        result={result}
        command={props.command}
        onRetry={props.onRetry}
        onRunAgain={props.onRunAgain}
      />
      {earlier ? (
        <Text size="sm" c="dimmed" mt="md" role="status">
          {t('transcript.earlier')}
        </Text>
      ) : null}
      {media.element}
      {segments.length > 0 ? (
        <SegmentList
          key={earlier ? 'earlier' : 'present'}
          segments={segments}
          player={player}
          language={result?.language ?? undefined}
        />
      ) : null}
      {earlier ? null : <Below {...props} segmentCount={segments.length} />}
      <PlayerBar
        player={player}
        message={media.message}
        help={
          <ActionIcon
            variant="subtle"
            color="gray"
            size={44}
            aria-label={t('keys.open')}
            visibleFrom="sm"
            onClick={helpControl.open}
          >
            <IconKeyboard size={22} />
          </ActionIcon>
        }
      />
      <KeysHelp
        opened={help}
        onClose={helpControl.close}
        singleKeys={singleKeys}
        onSingleKeys={(on) => {
          setSingleKeys(on);
          writeJson(STORAGE.keys, on);
        }}
      />
    </div>
  );
}

/** What stands under the rows, or in their place. */
function Below({
  job,
  result,
  resultError,
  onReload,
  segmentCount,
}: TranscriptViewProps & { segmentCount: number }) {
  if (isActive(job)) return <MoreToCome empty={segmentCount === 0} />;
  if (resultError && !result) {
    return <ErrorState error={resultError} title={t('transcript.loadFailed')} onRetry={onReload} />;
  }
  if (!result) {
    return (
      <Stack mt="xl" role="status" aria-label={t('loading')}>
        {[92, 78, 85, 60, 88].map((width) => (
          <Skeleton key={width} height={18} width={`${String(width)}%`} />
        ))}
      </Stack>
    );
  }
  // Why there is none is said above where the job failed or was cancelled.
  if (segmentCount > 0 || job.status !== 'completed') return null;
  return (
    <EmptyState
      icon={<IconMicrophoneOff size={30} />}
      title={t('transcript.empty.title')}
      text={t('transcript.empty.text')}
    />
  );
}
