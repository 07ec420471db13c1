import { ActionIcon, Skeleton, Stack, Switch, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconKeyboard, IconMicrophoneOff } from '@tabler/icons-react';
import { lazy, Suspense, useCallback, useEffect, useMemo, useState, type ReactNode } from 'react';

import { usePeaks } from '@/api/files';
import { isActive, type Job, type Speaker, type TranscriptResult } from '@/api/types';
import { EmptyState } from '@/components/ui/empty-state';
import { ErrorState } from '@/components/ui/error-state';
import { STORAGE } from '@/config/constants';
import { t } from '@/lib/i18n';
import { readJson, writeJson } from '@/lib/storage';

import { TranscriptHeader } from './header';
import { KeysHelp } from './keys-help';
import { useMedia } from './media';
import { isWhole, uncertainSpans } from './model';
import { Notices } from './notices';
import { Player } from './player';
import { PlayerBar } from './player-bar';
import { ReviewPanel } from './review-panel';
import { MoreToCome, RunningPanel } from './running';
import { SegmentList } from './segment-list';
import { labelsOf } from './speakers';
import { openRename, SpeakersPanel } from './speakers-panel';
import classes from './transcript.module.css';
import { usePlayerKeys } from './use-player-keys';
import { useReview } from './use-review';

// The text comes first; what draws the recording follows.
const Timeline = lazy(() => import('./timeline').then((part) => ({ default: part.Timeline })));

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
  const [underline, setUnderline] = useState(() => readJson<boolean>(STORAGE.uncertain, false));
  const segments = useMemo(() => result?.segments ?? [], [result]);
  const active = isActive(job);
  const earlier = active && Boolean(result?.previous) && segments.length > 0;
  const media = useMedia(
    player,
    job.file_id ?? undefined,
    segments.length > 0 && isWhole(job, result),
  );
  const review = useReview(job, result, player);
  const peaks = usePeaks(job.file_id, active).data ?? null;
  usePlayerKeys({ player, singleKeys, onHelp: helpControl.open, onStep: review.step });
  useEffect(() => {
    if (startSeconds) player.seek(startSeconds * 1000);
  }, [player, startSeconds]);
  const labels = useMemo(() => labelsOf(result?.speakers ?? [], segments), [result, segments]);
  const doubtful = useMemo(() => segments.some((s) => uncertainSpans(s).length > 0), [segments]);
  const rename = useCallback(
    (speaker: Speaker) => {
      openRename(job.id, speaker);
    },
    [job.id],
  );

  return (
    <div className={classes.frame}>
      <TranscriptHeader
        job={job}
        result={result}
        languageName={props.languageName}
        menu={props.menu}
        onRunAgain={props.onRunAgain}
      />
      {active ? <RunningPanel job={job} onCancel={props.onCancel} /> : null}
      <Notices
        job={job}
        result={result}
        command={props.command}
        onRetry={props.onRetry}
        onRunAgain={props.onRunAgain}
        onListen={review.listenAll}
        listening={review.busy}
      />
      {earlier ? <EarlierNote job={job} /> : null}
      {media.element}
      <SpeakersPanel job={job} result={result} />
      {review.items.length > 0 ? (
        <ReviewPanel
          items={review.items}
          onShow={review.show}
          onStep={review.step}
          onListen={review.listen}
          busy={review.busy}
        />
      ) : null}
      {doubtful ? (
        <Switch
          mt="md"
          label={t('review.underline')}
          checked={underline}
          onChange={(event) => {
            setUnderline(event.currentTarget.checked);
            writeJson(STORAGE.uncertain, event.currentTarget.checked);
          }}
        />
      ) : null}
      {segments.length > 0 ? (
        <SegmentList
          key={earlier ? 'earlier' : 'present'}
          segments={segments}
          player={player}
          language={result?.language ?? undefined}
          labels={labels}
          onRename={job.status === 'completed' ? rename : undefined}
          underline={underline}
        />
      ) : null}
      {earlier ? null : <Below {...props} segmentCount={segments.length} />}
      <PlayerBar
        player={player}
        message={media.message}
        timeline={
          <Suspense fallback={<div style={{ height: 48 }} />}>
            <Timeline player={player} peaks={peaks} items={review.items} />
          </Suspense>
        }
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

/** Which text this is while another one is being made. */
function EarlierNote({ job }: { job: Job }) {
  // A run that has windows already, while the earlier text is shown, does only a part of it again.
  const repairs = job.windows.committed > 0;
  // Of speakers, the panel with their names tells.
  if (repairs && job.windows.committed === job.windows.planned) return null;
  return (
    <Text size="sm" c="dimmed" mt="md" role="status">
      {repairs ? t('transcript.earlierGaps') : t('transcript.earlier')}
    </Text>
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
