import { describe, expect, it } from 'vitest';

import { aResult, aSegment } from '@/testing/builders';

import { joinText, keepNewer, mergeSegments, type WindowOf } from './segments';

const event = (window: number, ...segments: ReturnType<typeof aSegment>[]) => ({
  job_id: 'job-1',
  window,
  segments,
});

describe('mergeSegments', () => {
  it('orders windows by time, whatever order they come in', () => {
    const windows: WindowOf = new Map();
    let list = mergeSegments([], event(1, aSegment(2, 'c'), aSegment(3, 'd')), windows);
    list = mergeSegments(list, event(0, aSegment(0, 'a'), aSegment(1, 'b')), windows);
    expect(joinText(list)).toBe('a b c d');
  });

  it('replaces a window that is told again, with the same ids or others', () => {
    const windows: WindowOf = new Map();
    let list = mergeSegments([], event(0, aSegment(0, 'old'), aSegment(1, 'gone')), windows);
    list = mergeSegments(list, event(0, aSegment(0, 'new')), windows);
    list = mergeSegments(list, event(0, aSegment(0, 'newest', { id: 'other' })), windows);
    expect(joinText(list)).toBe('newest');
  });
});

describe('keepNewer', () => {
  it('adds what only the stream had', () => {
    const fetched = aResult({ complete: false, segments: [aSegment(0, 'a')] });
    const live = aResult({ complete: false, segments: [aSegment(0, 'a'), aSegment(1, 'b')] });
    expect(keepNewer(fetched, live).text).toBe('a b');
  });

  it('never mixes the texts of two runs', () => {
    const earlier = aResult({ complete: false, previous: true, segments: [aSegment(0, 'old')] });
    const live = aResult({ complete: false, segments: [aSegment(1, 'new')] });
    expect(keepNewer(earlier, live)).toBe(live);
    expect(keepNewer(live, earlier)).toBe(live);
    expect(keepNewer(live, aResult())).toBe(live);
  });

  it('takes a complete result as it is', () => {
    const fetched = aResult({ segments: [aSegment(0, 'final')] });
    expect(keepNewer(fetched, aResult({ complete: false }))).toBe(fetched);
  });
});
