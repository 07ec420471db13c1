import { describe, expect, it } from 'vitest';

import { canHurry, mayHaveChanged, untilNextTry } from './wait';

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

describe('trying now', () => {
  it.each([
    'model_missing',
    'model_download_failed',
    'engine_unavailable',
    'cloud_limit',
    'cloud_spend_limit',
    'provider_down',
    'storage_full',
    'storage_unavailable',
    'brand_new',
    null,
  ])('may help where %s ended the last try', (reason) => {
    const job = { status: 'pending', wait_reason: reason, run_after: at(75) };
    expect(mayHaveChanged(reason)).toBe(true);
    expect(canHurry(job, NOW)).toBe(true);
  });

  it.each([
    'model_downloading',
    'model_invalid',
    'model_retired',
    'engine_missing',
    'engine_elsewhere',
    'language_unsupported',
    'translation_unsupported',
    'cloud_not_configured',
    'cloud_forbidden',
    'parallel_limit',
    'no_worker',
  ])('is not offered where %s holds until somebody ends it', (reason) => {
    const job = { status: 'pending', wait_reason: reason, run_after: at(75) };
    expect(mayHaveChanged(reason)).toBe(false);
    expect(canHurry(job, NOW)).toBe(false);
    // When the next try comes is said all the same.
    expect(untilNextTry(job, NOW)).toBe(75_000);
  });
});
