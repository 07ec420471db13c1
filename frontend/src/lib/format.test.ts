import { describe, expect, it } from 'vitest';

import { nameFromDisposition } from './download';
import { ago, binaryBytes, bytes, clock, duration, percent, speed } from './format';
import { lookup, t, tn } from './i18n';
import { engineName, etaText, stageText } from './job-text';
import { safeNext } from './next-path';

describe('format', () => {
  it.each([
    [0, '0:00'],
    [7999, '0:07'],
    [754_000, '12:34'],
    [3_723_000, '1:02:03'],
    [-5, '0:00'],
  ])('clock(%d) = %s', (ms, text) => {
    expect(clock(ms)).toBe(text);
  });

  it.each([
    [0, '0 s'],
    [200, '1 s'],
    [8000, '8 s'],
    [59_600, '1 min'],
    [3_900_000, '1 h 5 min'],
    [7_200_000, '2 h'],
  ])('duration(%d) = %s', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1500, '1.5 kB'],
    [82_000_000, '82 MB'],
    [999_999_999, '1 GB'],
  ])('bytes(%d) = %s', (size, text) => {
    expect(bytes(size)).toBe(text);
  });

  it('counts limits in powers of two, as they are set', () => {
    expect(binaryBytes(5 * 1024 ** 3)).toBe('5 GiB');
    expect(binaryBytes(512)).toBe('512 B');
  });

  it('never shows 100 % before the end', () => {
    expect([percent(0), percent(0.999), percent(1), percent(7), percent(-1)]).toEqual([
      '0 %',
      '99 %',
      '100 %',
      '100 %',
      '0 %',
    ]);
  });

  it('tells how long ago', () => {
    const now = Date.parse('2026-11-21T12:00:00Z');
    expect(ago('2026-11-21T11:59:50Z', now)).toBe('now');
    expect(ago('2026-11-21T11:57:00Z', now)).toBe('3 minutes ago');
    expect(ago('2026-11-20T12:00:00Z', now)).toBe('yesterday');
    expect(ago('nonsense', now)).toBe('');
  });

  it('turns the real-time factor round', () => {
    expect(speed(0.5)).toBe('2×');
    expect(speed(0)).toBe('');
  });
});

describe('names of downloads', () => {
  it.each([
    ['attachment; filename="a b.txt"', 'a b.txt'],
    ['attachment; filename="x.srt"; filename*=UTF-8\'\'%D0%9B%D0%B5%D0%BA.srt', 'Лек.srt'],
    ['attachment; filename=plain.vtt', 'plain.vtt'],
    ['attachment; filename="ok.txt"; filename*=UTF-8\'\'%E0%A4%A', 'ok.txt'],
    ['attachment', null],
    [null, null],
  ])('%s -> %s', (header, name) => {
    expect(nameFromDisposition(header)).toBe(name);
  });
});

describe('words for jobs', () => {
  const job = { status: 'processing', stage: 'transcribing', progress: 0.424, eta_seconds: 90 };
  it('names stages plainly', () => {
    expect(stageText(job)).toBe('Transcribing 42 %');
    expect(stageText({ ...job, stage: 'decoding' })).toBe('Reading audio');
    expect(stageText({ ...job, cancel_requested: true })).toBe('Cancelling…');
    expect(stageText({ ...job, status: 'pending' })).toBe('Waiting for its turn');
    expect(stageText({ ...job, status: 'pending', wait_reason: 'new_reason' })).toContain(
      'new reason',
    );
  });

  it('guesses the time left only after a tenth', () => {
    expect(etaText(job)).toBe('about 2 min left');
    expect(etaText({ ...job, progress: 0.05 })).toBeNull();
    expect(etaText({ ...job, eta_seconds: null })).toBeNull();
  });

  it('names engines', () => {
    expect(engineName('whisper_cpp', 'base')).toBe('Whisper · base');
    expect(engineName('brand_new')).toBe('brand_new');
    expect(engineName(null)).toBe('Automatic');
  });
});

describe('dictionary', () => {
  it('fills values, counts and unknown codes', () => {
    expect(t('field.passwordHint', { count: 12 })).toContain('12');
    expect(tn('job.warnings', 1)).toBe('1 warning');
    expect(tn('job.warnings', 3)).toBe('3 warnings');
    expect(lookup('stage', 'juggling', 'juggling')).toBe('juggling');
  });
});

describe('where to go after sign-in', () => {
  it.each(['//evil.example', 'https://evil.example', '/\\evil.example', '/login?next=/x', 5, ''])(
    'refuses %s',
    (next) => {
      expect(safeNext(next)).toBe('/');
    },
  );
  it('keeps a path of this site', () => {
    expect(safeNext('/t/1?t=5')).toBe('/t/1?t=5');
  });
});
