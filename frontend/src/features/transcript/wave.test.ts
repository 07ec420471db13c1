import { describe, expect, it } from 'vitest';

import type { Peaks } from '@/api/types';

import { columnsOf } from './wave';

function peaks(data: number[], channels = 1): Peaks {
  return {
    version: 2,
    channels,
    sample_rate: 16_000,
    samples_per_pixel: 256,
    bits: 8,
    length: data.length / 2 / channels,
    data,
  };
}

describe('columnsOf', () => {
  it('takes the loudest of each stretch, low or high, in relation to the loudest of all', () => {
    const columns = columnsOf(peaks([-16, 4, -2, 1, 0, 64, -8, 8]), 2);
    expect([...columns]).toEqual([0.5, 1]);
  });

  it('joins channels', () => {
    expect([...columnsOf(peaks([-1, 1, -64, 64, -16, 16, 0, 0], 2), 2)]).toEqual([1, 0.5]);
  });

  it('stretches a short recording, and stays flat in silence', () => {
    expect([...columnsOf(peaks([-5, 5]), 3)]).toEqual([1, 1, 1]);
    expect([...columnsOf(peaks([0, 0, 0, 0]), 2)]).toEqual([0, 0]);
  });

  it('reads three hours without a noticeable wait', () => {
    const data = Array.from({ length: 3 * 3600 * 62 * 2 }, (_, at) => (at % 2 ? 90 : -90));
    const began = performance.now();
    expect(columnsOf(peaks(data), 266)).toHaveLength(266);
    expect(performance.now() - began).toBeLessThan(1000);
  });
});
