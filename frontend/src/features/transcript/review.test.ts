import { describe, expect, it } from 'vitest';

import { aSegment } from '@/testing/builders';

import { completenessOf, itemAt, neighbour, reviewItems } from './review';

const segments = [
  aSegment(0, 'Fine.'),
  aSegment(1, 'Again again again.', { flags: ['loop'] }),
  aSegment(2, 'Hm.', { flags: ['no_speech', 'low_confidence'] }),
];
const items = reviewItems([{ start_ms: 9000, end_ms: 12_000 }], segments);

describe('reviewItems', () => {
  it('lists gaps and flagged passages in the order of the recording', () => {
    expect(items.map(({ kind, start_ms }) => [kind, start_ms])).toEqual([
      ['flag', 5000],
      ['gap', 9000],
      ['flag', 10_000],
    ]);
  });

  it('steps from one to the next and back, never to the same', () => {
    const starts: number[] = [];
    let at = 0;
    for (let item = neighbour(items, at, 1); item; item = neighbour(items, at, 1)) {
      at = item.start_ms;
      starts.push(at);
    }
    for (let item = neighbour(items, at, -1); item; item = neighbour(items, at, -1)) {
      at = item.start_ms;
      starts.push(at);
    }
    expect(starts).toEqual([5000, 9000, 10_000, 9000, 5000]);
  });

  it.each([
    [0, null],
    [5000, 'flag'],
    [11_000, 'gap'],
    [13_500, 'flag'],
    [20_000, null],
  ])('finds what is at %d', (ms, kind) => {
    expect(itemAt(items, ms)?.kind ?? null).toBe(kind);
  });
});

describe('completenessOf', () => {
  const of = (speech_ms: number | null, covered_ms: number | null, gaps = 0) =>
    completenessOf({
      speech_ms,
      covered_ms,
      gaps: Array.from({ length: gaps }, (_, at) => ({ start_ms: at, end_ms: at + 3000 })),
    });

  it('says nothing where nothing was measured or nobody spoke', () => {
    expect(of(null, null)).toBeNull();
    expect(of(0, 0)).toBeNull();
  });

  it('calls a text whole only as far as the clock can show', () => {
    expect(of(60_900, 60_100)?.whole).toBe(true);
    expect(of(60_000, 59_999)?.whole).toBe(false);
    expect(of(60_000, 60_000, 1)?.whole).toBe(false);
  });

  it('warns of gaps and of little text, not of a breath', () => {
    expect(of(98_000, 97_000)?.doubtful).toBe(false);
    expect(of(98_000, 97_000, 1)?.doubtful).toBe(true);
    expect(of(98_000, 60_000)?.doubtful).toBe(true);
  });

  it('never counts more than all', () => {
    expect(of(60_000, 61_000)?.coveredMs).toBe(60_000);
  });
});
