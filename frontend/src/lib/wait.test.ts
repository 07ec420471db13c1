import { describe, expect, it } from 'vitest';

import { canHurry, untilNextTry } from './wait';

const NOW = Date.parse('2026-11-28T10:00:00Z');
const at = (seconds: number) => new Date(NOW + seconds * 1000).toISOString();

describe('the next try', () => {
  it('is counted down to where a time is set', () => {
    const job = { status: 'pending', run_after: at(75) };
    expect(untilNextTry(job, NOW)).toBe(75_000);
    expect(canHurry(job, NOW)).toBe(true);
    expect(untilNextTry({ ...job, wait_reason: 'disk_full' }, NOW)).toBe(75_000);
  });

  it('is none where the job is due, runs or has ended', () => {
    for (const job of [
      { status: 'pending', run_after: at(-1) },
      { status: 'pending', run_after: null },
      { status: 'pending', run_after: 'nonsense' },
      { status: 'processing', run_after: at(75) },
    ]) {
      expect(untilNextTry(job, NOW)).toBeNull();
      expect(canHurry(job, NOW)).toBe(false);
    }
  });

  it('is not shown where something else wakes the job long before', () => {
    const job = { status: 'pending', wait_reason: 'model_missing', run_after: at(86_000) };
    expect(untilNextTry(job, NOW)).toBeNull();
    expect(canHurry(job, NOW)).toBe(true);
  });
});
