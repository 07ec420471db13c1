/** What a reader should look at: stretches of speech without text, and doubtful passages. Pure; times in ms. */

import type { Gap, Segment } from '@/api/types';

export interface GapItem {
  kind: 'gap';
  id: string;
  start_ms: number;
  end_ms: number;
}

export interface FlagItem {
  kind: 'flag';
  id: string;
  start_ms: number;
  end_ms: number;
  flags: readonly string[];
  text: string;
}

export type ReviewItem = GapItem | FlagItem;

/** Gaps and flagged segments in the order of the recording. */
export function reviewItems(gaps: readonly Gap[], segments: readonly Segment[]): ReviewItem[] {
  const holes = gaps.map(({ start_ms, end_ms }): GapItem => {
    return { kind: 'gap', id: `gap-${String(start_ms)}`, start_ms, end_ms };
  });
  const doubts = segments
    .filter((segment) => segment.flags.length > 0)
    .map(({ id, start_ms, end_ms, flags, text }): FlagItem => {
      return { kind: 'flag', id, start_ms, end_ms, flags, text: text.trim() };
    });
  return [...holes, ...doubts].sort((a, b) => a.start_ms - b.start_ms || a.end_ms - b.end_ms);
}

/** A jump from exactly an item's start goes on to its neighbour, not to itself. */
const HERE_MS = 50;

/** The item after (or before) a position; null at the end. */
export function neighbour(
  items: readonly ReviewItem[],
  ms: number,
  step: 1 | -1,
): ReviewItem | null {
  return step > 0
    ? (items.find((item) => item.start_ms > ms + HERE_MS) ?? null)
    : (items.findLast((item) => item.start_ms < ms - HERE_MS) ?? null);
}

/** What is at a position: a gap before a doubtful passage. */
export function itemAt(items: readonly ReviewItem[], ms: number, slackMs = 0): ReviewItem | null {
  let found: ReviewItem | null = null;
  for (const item of items) {
    if (item.start_ms - slackMs > ms) break;
    if (ms > item.end_ms + slackMs) continue;
    if (item.kind === 'gap') return item;
    found = item;
  }
  return found;
}

export interface Completeness {
  speechMs: number;
  coveredMs: number;
  gaps: number;
  whole: boolean;
  /** There is a gap, or so little text that something must be wrong: not only breaths and edges. */
  doubtful: boolean;
}

interface Covered {
  speech_ms: number | null;
  covered_ms: number | null;
  gaps: readonly Gap[];
}

const LOW_SHARE = 0.9;

/** How much of the speech has text; null where it was not measured or there was none. */
export function completenessOf(from: Covered): Completeness | null {
  const { speech_ms: speechMs, covered_ms: coveredMs, gaps } = from;
  if (!speechMs || coveredMs == null) return null;
  const seconds = (ms: number) => Math.floor(ms / 1000);
  return {
    speechMs,
    coveredMs: Math.min(coveredMs, speechMs),
    gaps: gaps.length,
    // As far as the clock shows it.
    whole: gaps.length === 0 && seconds(coveredMs) >= seconds(speechMs),
    doubtful: gaps.length > 0 || coveredMs < speechMs * LOW_SHARE,
  };
}
