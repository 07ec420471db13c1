import { notifications } from '@mantine/notifications';
import { useCallback, useMemo } from 'react';

import { useRetryGaps } from '@/api/speech';
import type { Gap, Job, TranscriptResult } from '@/api/types';
import { notifyDone, notifyError } from '@/components/ui/notify';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-review';

import type { Player } from './player';
import { neighbour, reviewItems, type ReviewItem } from './review';

/** Moving between the places to check. */
export function useReviewSteps(
  items: readonly ReviewItem[],
  player: Player,
): (direction: 1 | -1) => void {
  return useCallback(
    (direction) => {
      if (items.length === 0) return;
      const item = neighbour(items, player.nowMs, direction);
      if (item) player.show(item.start_ms);
      else {
        notifications.show({
          id: 'review-end',
          message: t(direction > 0 ? 'review.noneNext' : 'review.nonePrevious'),
          color: 'gray',
          autoClose: 2500,
        });
      }
    },
    [items, player],
  );
}

/** The places to check, moving between them, and listening again to gaps. */
export function useReview(job: Job, result: TranscriptResult | undefined, player: Player) {
  const retry = useRetryGaps(job.id);
  const items = useMemo(() => (result ? reviewItems(result.gaps, result.segments) : []), [result]);
  const show = useCallback(
    (item: ReviewItem) => {
      player.show(item.start_ms);
    },
    [player],
  );
  const step = useReviewSteps(items, player);
  const listen = (gap: Gap | null) => {
    retry.mutate(gap, {
      onSuccess: () => {
        notifyDone(t('review.started'));
      },
      onError: (error) => {
        notifyError(error);
      },
    });
  };
  const able = job.status === 'completed' && (result?.gaps.length ?? 0) > 0;
  return {
    items,
    show,
    step,
    busy: retry.isPending,
    listen: able ? listen : undefined,
    listenAll: able
      ? () => {
          listen(null);
        }
      : undefined,
  };
}
