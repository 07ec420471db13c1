import { describe, expect, it } from 'vitest';

import { aJob, anEngine, someOptions } from '@/testing/builders';

import { choiceField, choicesOf, DEFAULT_CHOICES, splitTerms, toJobChoices } from './choices';

describe('splitTerms', () => {
  it.each([
    ['Ada, Grace;Linus\nKen\r\n\r\nAda', ['Ada', 'Grace', 'Linus', 'Ken']],
    ['  New   York ', ['New York']],
    [', ;\n', []],
    ['ada, Ada', ['ada']],
  ])('%j', (text, terms) => {
    expect(splitTerms(text)).toEqual(terms);
  });
});

describe('toJobChoices', () => {
  const base = { language: 'auto', mode: 'mono', vad: 'auto' };

  it('sends no more than was chosen', () => {
    expect(toJobChoices(DEFAULT_CHOICES, someOptions())).toEqual(base);
  });

  it('sends hints and translation', () => {
    const picked = {
      ...DEFAULT_CHOICES,
      language: 'mixed',
      translate: true,
      vocabulary: ['Ada'],
      prompt: ' Dear all, ',
    };
    expect(toJobChoices(picked, someOptions())).toEqual({
      ...base,
      language: 'mixed',
      translate: true,
      vocabulary: ['Ada'],
      prompt: 'Dear all,',
    });
  });

  it('sends numbers of speakers for a dialogue only, and a limit only where there is no number', () => {
    const counted = { ...DEFAULT_CHOICES, speakers: 3, maxSpeakers: 5 };
    expect(toJobChoices(counted, undefined)).toEqual(base);
    const dialogue = { ...base, mode: 'dialogue' };
    expect(toJobChoices({ ...counted, mode: 'dialogue' }, undefined)).toEqual({
      ...dialogue,
      speakers: 3,
    });
    expect(toJobChoices({ ...counted, mode: 'dialogue', speakers: null }, undefined)).toEqual({
      ...dialogue,
      max_speakers: 5,
    });
  });

  it('takes models that an engine names itself', () => {
    const options = someOptions({ engines: [anEngine('openai', { models: ['whisper-1'] })] });
    const pick = (engine: string) => toJobChoices({ ...DEFAULT_CHOICES, engine }, options);
    expect(pick('openai:whisper-1')).toMatchObject({ engine: 'openai', model: 'whisper-1' });
    expect(pick('openai:gone')).toEqual(base);
  });
});

it('knows the options of a job again', () => {
  const job = aJob({
    mode: 'dialogue',
    requested_language: 'de',
    language: 'en',
    requested_engine: 'openai',
    requested_model: 'whisper-1',
    vocabulary: ['Ada'],
    max_speakers: 4,
  });
  expect(choicesOf(job)).toEqual({
    ...DEFAULT_CHOICES,
    mode: 'dialogue',
    language: 'de',
    engine: 'openai:whisper-1',
    vocabulary: ['Ada'],
    maxSpeakers: 4,
  });
});

it.each([
  ['body.vocabulary.3', 'vocabulary'],
  ['body.max_speakers', 'max_speakers'],
  ['body.file_id', null],
  [null, null],
])('finds the option of %s', (path, field) => {
  expect(choiceField(path)).toBe(field);
});
