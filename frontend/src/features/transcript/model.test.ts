import { describe, expect, it } from 'vitest';

import { aSegment } from '@/testing/builders';

import { segmentAt, wordAt, wordAtOffset, wordSpans } from './model';

const segments = [aSegment(0, ' The cat sat.'), aSegment(1, 'The the theme.'), aSegment(2, 'End')];

describe('segmentAt', () => {
  it.each([
    [-1, -1],
    [0, 0],
    [4999, 0],
    [5000, 1],
    [999_999, 2],
  ])('%d ms -> %d', (ms, index) => {
    expect(segmentAt(segments, ms)).toBe(index);
  });

  it('knows an empty transcript', () => {
    expect(segmentAt([], 5)).toBe(-1);
  });

  it('agrees with a plain search on many segments', () => {
    const many = Array.from({ length: 500 }, (_, index) => aSegment(index, 'x'));
    for (let ms = -50; ms < 2_500_000; ms += 9973) {
      const plain = many.filter((segment) => segment.start_ms <= ms).length - 1;
      expect(segmentAt(many, ms)).toBe(plain);
    }
  });
});

describe('words', () => {
  it('stand where the text has them, in order', () => {
    const segment = segments[1]!;
    const found = wordSpans(segment).map(({ from, to }) => segment.text.slice(from, to));
    expect(found).toEqual(['The', 'the', 'theme.']);
    expect(wordSpans(segment).map((span) => span.from)).toEqual([0, 4, 8]);
  });

  it('are left out where the text lacks them', () => {
    const odd = aSegment(0, 'One three.', {
      words: [
        { text: 'One', start_ms: 0, end_ms: 10 },
        { text: 'two', start_ms: 10, end_ms: 20 },
        { text: 'three.', start_ms: 20, end_ms: 30 },
      ],
    });
    expect(wordSpans(odd).map((span) => span.start_ms)).toEqual([0, 20]);
  });

  it('are found by time, and none in a long pause', () => {
    const segment = segments[0]!;
    expect(wordAt(segment, 0)?.from).toBe(1);
    expect(wordAt(segment, 1400)?.from).toBe(5);
    expect(wordAt(segment, 4900)).toBeNull();
  });

  it('are found by the character that was clicked', () => {
    const segment = segments[0]!;
    expect(wordAtOffset(segment, 6)?.start_ms).toBe(1333);
    expect(wordAtOffset(segment, 0)).toBeNull();
  });
});
