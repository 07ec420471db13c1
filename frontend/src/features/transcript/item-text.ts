/** Gaps and doubts in plain words. */

import { clock, duration } from '@/lib/format';
import { lookup, t } from '@/lib/i18n';
import '@/lib/i18n/en-review';

import type { ReviewItem } from './review';

export function flagName(flag: string): string {
  return lookup('flag', flag, t('transcript.flag'));
}

/** What a flag means for the reader. */
export function flagHint(flag: string): string {
  return lookup('flagHint', flag, t('flagHint.unknown', { flag: flag.replaceAll('_', ' ') }));
}

export function itemTitle(item: ReviewItem): string {
  return item.kind === 'gap'
    ? t('review.gap', { time: duration(item.end_ms - item.start_ms) })
    : item.flags.map(flagName).join(', ');
}

export function gapRange(item: { start_ms: number; end_ms: number }): string {
  return t('review.range', { from: clock(item.start_ms), to: clock(item.end_ms) });
}
