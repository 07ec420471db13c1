/** Finding one's place in a transcript. Pure; times in ms. */

import { isActive, type Job, type Segment, type TranscriptResult } from '@/api/types';

/** What is known of the run that made the text, which need not be the last one. */
export interface Origin {
  engine: string | null;
  model: string | null;
  lowAccuracy: boolean;
  reasons: readonly string[];
  warnings: Job['warnings'];
}

export function originOf(job: Job, result: TranscriptResult | undefined): Origin {
  const active = isActive(job);
  const { engine, model, low_accuracy, warnings } = result?.previous ? result : job;
  return {
    engine,
    model,
    // Until the engine is chosen, or while its text is still to come, this is the judgement of the run before.
    lowAccuracy: low_accuracy && job.status !== 'pending' && !(active && result?.previous),
    reasons: result?.previous ? [] : job.engine_reasons,
    warnings: active ? job.warnings : warnings,
  };
}

/** Whether there is a whole text to save, of this run or of the one before. */
export function isWhole(job: Job, result: TranscriptResult | undefined): boolean {
  return job.status === 'completed' || (!isActive(job) && Boolean(result?.complete));
}

/** Index of the last segment that starts at or before `ms`; -1 before the first. */
export function segmentAt(segments: readonly Segment[], ms: number): number {
  let low = 0;
  let high = segments.length - 1;
  let found = -1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if ((segments[middle]?.start_ms ?? 0) <= ms) {
      found = middle;
      low = middle + 1;
    } else {
      high = middle - 1;
    }
  }
  return found;
}

/** A word's place in the text of its segment. */
export interface WordSpan {
  from: number;
  to: number;
  start_ms: number;
  end_ms: number;
  /** 0..1; null where the engine tells none. */
  confidence: number | null;
}

const spans = new WeakMap<Segment, WordSpan[]>();

/** Where each word stands in `segment.text`. Words that are not found in it are left out. */
export function wordSpans(segment: Segment): WordSpan[] {
  const known = spans.get(segment);
  if (known) return known;
  const made: WordSpan[] = [];
  let cursor = 0;
  for (const word of segment.words) {
    const text = word.text.trim();
    if (!text) continue;
    const from = segment.text.indexOf(text, cursor);
    if (from < 0) continue;
    cursor = from + text.length;
    const { start_ms, end_ms, confidence = null } = word;
    made.push({ from, to: cursor, start_ms, end_ms, confidence });
  }
  spans.set(segment, made);
  return made;
}

/** Below this a word is called uncertain. */
const UNCERTAIN = 0.5;

export function uncertainSpans(segment: Segment): WordSpan[] {
  return wordSpans(segment).filter(
    ({ confidence }) => confidence !== null && confidence < UNCERTAIN,
  );
}

/** The word being spoken at `ms`; in a pause, none. */
export function wordAt(segment: Segment, ms: number): WordSpan | null {
  const list = wordSpans(segment);
  let low = 0;
  let high = list.length - 1;
  let found: WordSpan | null = null;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const span = list[middle];
    if (!span) break;
    if (span.start_ms <= ms) {
      found = span;
      low = middle + 1;
    } else {
      high = middle - 1;
    }
  }
  // Engines often end a word a little early: hold it through short gaps.
  return found && ms < found.end_ms + 250 ? found : null;
}

/** The word at a character of the text (a click). Falls back to the nearest word before it. */
export function wordAtOffset(segment: Segment, offset: number): WordSpan | null {
  let before: WordSpan | null = null;
  for (const span of wordSpans(segment)) {
    if (span.from > offset) break;
    before = span;
  }
  return before;
}
