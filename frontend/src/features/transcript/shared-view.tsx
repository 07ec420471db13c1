import { Stack, Skeleton, Text } from '@mantine/core';
import { IconMicrophoneOff } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useState, type ReactNode } from 'react';

import {
  nameSharedSpeaker,
  sharedResultKey,
  sharedResultQuery,
  useSharedMedia,
  useSharedPeaks,
  type SharedSource,
} from '@/api/shared';
import type { SharedProgress } from '@/api/shared-live';
import { isActive, type Speaker } from '@/api/types';
import { EmptyState } from '@/components/ui/empty-state';
import { ErrorState } from '@/components/ui/error-state';
import { JobProgress } from '@/components/ui/job-progress';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-share';

import { useMedia } from './media';
import { Player } from './player';
import { PlayerDock } from './player-dock';
import { reviewItems } from './review';
import { MoreToCome } from './running';
import { SegmentList } from './segment-list';
import { SharedHeader } from './shared-header';
import { labelsOf } from './speakers';
import { openRename } from './speakers-panel';
import classes from './transcript.module.css';
import { useReviewSteps } from './use-review';

interface Props {
  source: SharedSource;
  title: string;
  progress: SharedProgress;
  /** Whether the speakers may be named here. */
  canEdit: boolean;
  allowDownload: boolean;
  startSeconds: number | undefined;
  /** Stands above the title. */
  back: ReactNode;
}

/** Text and sound of what was shared: no workspace, no settings, nothing of how it was made. */
export function SharedView(props: Props) {
  const { source, progress, canEdit, startSeconds } = props;
  const [player] = useState(() => new Player());
  const result = useQuery(sharedResultQuery(source));
  const peaks = useSharedPeaks(source).data ?? null;
  const segments = useMemo(() => result.data?.segments ?? [], [result.data]);
  const items = useMemo(
    () => reviewItems(result.data?.gaps ?? [], segments),
    [result.data, segments],
  );
  const media = useMedia(player, useSharedMedia(source), segments.length > 0);
  const step = useReviewSteps(items, player);
  const labels = useMemo(
    () => labelsOf(result.data?.speakers ?? [], segments),
    [result.data, segments],
  );
  const active = isActive(progress);
  useEffect(() => {
    if (startSeconds) player.seek(startSeconds * 1000);
  }, [player, startSeconds]);
  const rename = useCallback(
    (speaker: Speaker) => {
      if (source.kind !== 'account') return;
      const send = (id: string, name: string) => nameSharedSpeaker(source.jobId, id, name);
      openRename({ key: sharedResultKey(source), send }, speaker);
    },
    [source],
  );
  return (
    <div className={classes.frame}>
      <SharedHeader {...props} result={result.data} />
      {active ? (
        <section className="card" style={{ padding: 16, marginTop: 16 }}>
          <JobProgress job={{ ...progress, filename: props.title }} />
        </section>
      ) : null}
      {media.element}
      {segments.length > 0 ? (
        <SegmentList
          segments={segments}
          player={player}
          language={result.data?.language ?? undefined}
          labels={labels}
          onRename={canEdit && progress.status === 'completed' ? rename : undefined}
          underline={false}
        />
      ) : null}
      {active ? <MoreToCome empty={segments.length === 0} /> : null}
      {result.isError && !result.data ? (
        <ErrorState
          error={result.error}
          title={t('transcript.loadFailed')}
          onRetry={() => void result.refetch()}
        />
      ) : null}
      {result.isPending ? <Lines /> : null}
      {!active && result.data && segments.length === 0 ? <NoText progress={progress} /> : null}
      <PlayerDock
        player={player}
        message={media.message}
        peaks={peaks}
        items={items}
        onStep={step}
      />
    </div>
  );
}

function Lines() {
  return (
    <Stack mt="xl" role="status" aria-label={t('loading')}>
      {[92, 78, 85, 60, 88].map((width) => (
        <Skeleton key={width} height={18} width={`${String(width)}%`} />
      ))}
    </Stack>
  );
}

function NoText({ progress }: { progress: SharedProgress }) {
  if (progress.status !== 'completed') {
    return (
      <Text mt="xl" role="status">
        {t('shared.failed')}
      </Text>
    );
  }
  return (
    <EmptyState
      icon={<IconMicrophoneOff size={30} />}
      title={t('transcript.empty.title')}
      text={t('transcript.empty.text')}
    />
  );
}
