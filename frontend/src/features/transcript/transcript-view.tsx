import { Skeleton, Stack, Switch, Text } from '@mantine/core';
import { IconMicrophoneOff } from '@tabler/icons-react';
import { useCallback, useEffect, useMemo, useState, type ReactNode } from 'react';

import { useMediaUrl, usePeaks } from '@/api/files';
import { jobNaming } from '@/api/speech';
import { isActive, type Job, type Speaker, type TranscriptResult } from '@/api/types';
import { EmptyState } from '@/components/ui/empty-state';
import { ErrorState } from '@/components/ui/error-state';
import { STORAGE } from '@/config/constants';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-review';
import { readJson, writeJson } from '@/lib/storage';

import { TranscriptHeader } from './header';
import { useMedia, type MediaQuery } from './media';
import { isWhole, uncertainSpans } from './model';
import { Notices } from './notices';
import { Player } from './player';
import { PlayerDock } from './player-dock';
import { ReviewPanel } from './review-panel';
import { MoreToCome, RunningPanel } from './running';
import { SegmentList } from './segment-list';
import { labelsOf } from './speakers';
import { openRename, SpeakersPanel } from './speakers-panel';
import classes from './transcript.module.css';
import { useReview } from './use-review';

export interface TranscriptViewProps {
  job: Job;
  result: TranscriptResult | undefined;
  resultError: Error | null;
  onReload: () => void;
  startSeconds: number | undefined;
  languageName: (code: string) => string;
  command: string;
  menu: ReactNode;
  actions: ReactNode;
  onCancel: () => void;
  onRetry: () => void;
  onRunAgain: () => void;
}

/** The recording went before its text, as the workspace wants it. */
const GONE: MediaQuery = {
  data: { url: '', gone: true },
  isError: false,
  refetch: () => Promise.resolve(),
};

export function TranscriptView(props: TranscriptViewProps) {
  const { job, result, startSeconds } = props;
  const [player] = useState(() => new Player());
  const [underline, setUnderline] = useState(() => readJson<boolean>(STORAGE.uncertain, false));
  const segments = useMemo(() => result?.segments ?? [], [result]);
  const active = isActive(job);
  const earlier = active && Boolean(result?.previous) && segments.length > 0;
  const url = useMediaUrl(job.file_id ?? undefined);
  const media = useMedia(
    player,
    // A job without its file, and not fetching it, has outlived it.
    job.file_id || active ? url : GONE,
    segments.length > 0 && isWhole(job, result),
  );
  const review = useReview(job, result, player);
  const peaks = usePeaks(job.file_id, active).data ?? null;
  useEffect(() => {
    if (startSeconds) player.seek(startSeconds * 1000);
  }, [player, startSeconds]);
  const labels = useMemo(() => labelsOf(result?.speakers ?? [], segments), [result, segments]);
  const doubtful = useMemo(() => segments.some((s) => uncertainSpans(s).length > 0), [segments]);
  const rename = useCallback(
    (speaker: Speaker) => {
      openRename(jobNaming(job.id), speaker);
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
        actions={props.actions}
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
      <PlayerDock
        player={player}
        message={media.message}
        peaks={peaks}
        items={review.items}
        onStep={review.step}
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
