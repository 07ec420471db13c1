import { describe, expect, it } from 'vitest';

import { historyText, historyTone, unnamedWindow, type HistoryLike } from './history-text';

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
    [entry('window_repeated', { window: 0, count: 2 }), 'Window 1 was begun again (try 2 of it).'],
    [
      entry('engine_crashed', { window: 2, count: 1 }),
      'The engine crashed on window 3 (crash 1 there).',
    ],
    // Whether there is any text, an entry does not know.
    [entry('host_lost'), 'The server that worked on it was gone.'],
    [
      entry('waiting', { reason: 'no_worker' }),
      'It had to wait. The server has no process that works on jobs at the moment. Tell whoever runs it (`transcribe worker` starts one); the job stays where it is.',
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

describe('unnamedWindow', () => {
  it.each([
    [{ window: 2, message: 'The server went down 5 times in a row.' }, 3],
    [{ window: 0 }, 1],
    [{ window: 2, message: 'The engine crashed 2 times on window 3 of this recording.' }, null],
    [{ window: null, message: 'The server went down 5 times in a row.' }, null],
    [{ message: 'It broke.' }, null],
  ])('of %o is %s', (failure, window) => {
    expect(unnamedWindow(failure)).toBe(window);
  });
});
