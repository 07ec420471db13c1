/** Joining live text: windows arrive in any order, and one may arrive again after a retry. */

import type { Segment, SegmentsEvent, TranscriptResult } from './types';

/** Which window each segment came from, as far as the stream told. */
export type WindowOf = Map<string, number>;

function byTime(a: Segment, b: Segment): number {
  return a.start_ms - b.start_ms || a.end_ms - b.end_ms || (a.id < b.id ? -1 : 1);
}

/** A window's segments replace what was there of the same window or of the same id. */
export function mergeSegments(
  known: readonly Segment[],
  event: SegmentsEvent,
  windowOf: WindowOf,
): Segment[] {
  const incoming = new Set(event.segments.map((segment) => segment.id));
  const kept = known.filter(
    (segment) => !incoming.has(segment.id) && windowOf.get(segment.id) !== event.window,
  );
  for (const segment of event.segments) windowOf.set(segment.id, event.window);
  return [...kept, ...event.segments].sort(byTime);
}

export function joinText(segments: readonly Segment[]): string {
  return segments
    .map((segment) => segment.text.trim())
    .filter(Boolean)
    .join(' ');
}

/** A fetched partial result plus the segments that only the stream has brought so far. */
export function keepNewer(fetched: TranscriptResult, live: TranscriptResult): TranscriptResult {
  if (fetched.complete || live.complete || live.previous) return fetched;
  // The texts of two runs are never mixed.
  if (fetched.previous) return live.segments.length > 0 ? live : fetched;
  const known = new Set(fetched.segments.map((segment) => segment.id));
  const extra = live.segments.filter((segment) => !known.has(segment.id));
  if (extra.length === 0) return fetched;
  const segments = [...fetched.segments, ...extra].sort(byTime);
  return { ...fetched, segments, text: joinText(segments) };
}

/** The whole text of a run after which another one has begun. */
export function setAside(result: TranscriptResult): TranscriptResult {
  return { ...result, complete: false, previous: true };
}

/** A result that grows while the job runs. */
export function emptyResult(jobId: string): TranscriptResult {
  return {
    job_id: jobId,
    complete: false,
    language: null,
    duration_ms: null,
    speech_ms: null,
    covered_ms: null,
    gaps: [],
    speakers: [],
    engine: null,
    model: null,
    low_accuracy: false,
    text: '',
    warnings: [],
    segments: [],
  };
}
