import { describe, expect, it } from 'vitest';

import { historyText, historyTone, type HistoryLike } from './history-text';

const entry = (kind: string, change: Partial<HistoryLike> = {}): HistoryLike => ({
  kind,
  at: '2026-11-28T10:00:00.000Z',
  attempt: 1,
  ...change,
});
const ada = { name: 'Ada', email: 'ada@example.org' };

describe('historyText', () => {
  it.each([
    [entry('created', { by: ada, source: 'file' }), 'Ada asked for this transcription.'],
    [
      entry('created', { by: { name: null, email: 'b@example.org' }, source: 'link' }),
      'b@example.org asked for the transcription of a link.',
    ],
    [entry('created', { source: 'playlist' }), 'It came out of a playlist.'],
    [entry('claimed', { attempt: 3 }), 'A worker took it up again (attempt 3).'],
    [
      entry('engine_chosen', { engine: 'whisper_cpp', model: 'base-q8_0' }),
      'Whisper · base-q8_0 was chosen.',
    ],
    [entry('stage', { stage: 'diarizing' }), 'Began to tell the speakers apart.'],
    [entry('stage', { stage: 'brand_new' }), 'Went on to: brand new.'],
    [entry('waiting', { reason: 'brand_new' }), 'It had to wait. Waiting: brand new.'],
    [entry('window_repeated', { window: 0, count: 2 }), 'Part 1 was begun again (try 2 of it).'],
    [
      entry('engine_crashed', { window: 2, count: 1 }),
      'The engine crashed on part 3 (crash 1 there).',
    ],
    [entry('retry_scheduled'), 'This try failed. The next one follows at once.'],
    [
      entry('retry_scheduled', { run_after: '2026-11-28T10:00:40.000Z' }),
      'This try failed. The next one follows after 40 s.',
    ],
    [entry('retried', { by: ada, what: 'all' }), 'Ada began it again.'],
    [entry('retried', { by: ada, by_api_key: true, what: 'all' }), 'Ada (API key) began it again.'],
    [entry('retried', { by: ada, what: 'gaps' }), 'Ada asked to listen to the gaps again.'],
    [
      entry('cancel_requested', { by: { name: null, email: null } }),
      'A former member cancelled it.',
    ],
    [entry('failed', { code: 'quarantined' }), 'It was set aside.'],
    [entry('failed', { code: 'engine_failed' }), 'It failed.'],
    [
      entry('files_written', { formats: ['txt', 'json'] }),
      'The text was stored as files (TXT, JSON).',
    ],
    [entry('sent_to_the_moon'), 'Something else happened: sent to the moon.'],
  ])('says %o', (given, said) => {
    expect(historyText(given)).toBe(said);
  });

  it('says what is grave', () => {
    expect(historyTone(entry('completed'))).toBe('good');
    expect(historyTone(entry('failed'))).toBe('bad');
    expect(historyTone(entry('host_lost'))).toBe('doubt');
    expect(historyTone(entry('retried', { by: ada }))).toBe('person');
    expect(historyTone(entry('stage'))).toBe('plain');
  });
});
