/** The options a person picks for a recording, and what of them is sent. */

import type { Job, JobCreate, Options } from './types';

/** What is left out, the server decides. */
export type JobChoices = Partial<Omit<JobCreate, 'file_id' | 'url'>>;

export interface Choices {
  /** A code, `auto` (found out once) or `mixed` (found out in every part). */
  language: string;
  mode: 'mono' | 'dialogue';
  vad: 'auto' | 'off';
  /** `auto`, an engine, or `engine:model`. */
  engine: string;
  translate: boolean;
  vocabulary: string[];
  prompt: string;
  /** How many speak in a dialogue; null: found out. */
  speakers: number | null;
  maxSpeakers: number | null;
}

export const DEFAULT_CHOICES: Choices = {
  language: 'auto',
  mode: 'mono',
  vad: 'auto',
  engine: 'auto',
  translate: false,
  vocabulary: [],
  prompt: '',
  speakers: null,
  maxSpeakers: null,
};

/** Limits of the contract, which the fields keep while people type. */
export const LIMITS = {
  jobTerms: 100,
  workspaceTerms: 200,
  termLength: 60,
  promptLength: 1000,
  speakers: 32,
} as const;

/** Engine and model apart; both undefined for `auto`. */
export function splitEngine(value: string): Pick<JobChoices, 'engine' | 'model'> {
  const [engine, model] = value.split(/:(.*)/s);
  if (!engine || engine === 'auto') return {};
  return { engine: engine as JobChoices['engine'], ...(model ? { model } : {}) };
}

/** The options that a job was asked with. */
export function choicesOf(job: Job): Choices {
  const { requested_engine: engine, requested_model: model } = job;
  return {
    language: job.requested_language,
    mode: job.mode,
    vad: job.vad,
    engine: engine ? [engine, ...(model ? [model] : [])].join(':') : 'auto',
    translate: job.translate,
    vocabulary: job.vocabulary,
    prompt: job.prompt,
    speakers: job.speakers,
    maxSpeakers: job.max_speakers,
  };
}

/** What the form sends; a choice the server no longer offers falls back to automatic. */
export function toJobChoices(picked: Choices, options: Options | undefined): JobChoices {
  const { engine, model } = splitEngine(picked.engine);
  const known = options?.engines.find((item) => item.name === engine);
  const models = known?.models ?? options?.models.map((item) => item.name);
  const offered = engine && (!options || (known && (!model || models?.includes(model))));
  const dialogue = picked.mode === 'dialogue';
  const prompt = picked.prompt.trim();
  return {
    language: picked.language,
    mode: picked.mode,
    vad: picked.vad,
    ...(picked.translate ? { translate: true } : {}),
    ...(picked.vocabulary.length ? { vocabulary: picked.vocabulary } : {}),
    ...(prompt ? { prompt } : {}),
    ...(dialogue && picked.speakers ? { speakers: picked.speakers } : {}),
    ...(dialogue && !picked.speakers && picked.maxSpeakers
      ? { max_speakers: picked.maxSpeakers }
      : {}),
    ...(offered ? { engine, ...(model ? { model } : {}) } : {}),
  };
}

/** Names and terms out of a pasted list: one a line, or between commas or semicolons; none twice. */
export function splitTerms(text: string): string[] {
  return uniqueTerms(text.split(/[,;\n\r\t]+/));
}

/** Trimmed, without empty ones and repeats (capitals do not tell terms apart). */
export function uniqueTerms(terms: readonly string[]): string[] {
  const seen = new Map<string, string>();
  for (const raw of terms) {
    const term = raw.trim().replace(/\s+/g, ' ');
    const key = term.toLocaleLowerCase();
    if (term && !seen.has(key)) seen.set(key, term);
  }
  return [...seen.values()];
}

/** The fields of `Choices` by their names on the wire. */
const WIRE_FIELDS = [
  'language',
  'mode',
  'vad',
  'engine',
  'model',
  'translate',
  'vocabulary',
  'prompt',
  'speakers',
  'max_speakers',
] as const;

export type ChoiceField = (typeof WIRE_FIELDS)[number];

/** Which option an error is about: `body.vocabulary.3` -> `vocabulary`. */
export function choiceField(path: string | null): ChoiceField | null {
  if (!path) return null;
  const steps = path.split('.');
  return WIRE_FIELDS.find((name) => steps.includes(name)) ?? null;
}
