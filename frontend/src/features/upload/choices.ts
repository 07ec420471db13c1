/** Options for new files, remembered in this browser. */

import type { Options } from '@/api/types';
import { STORAGE } from '@/config/constants';
import { readJson, writeJson } from '@/lib/storage';
import { Store } from '@/lib/store';

import type { JobChoices } from './queue';

export interface Choices {
  language: string;
  mode: 'mono' | 'dialogue';
  vad: 'auto' | 'off';
  /** `auto`, an engine, or `engine:model`. */
  engine: string;
}

const DEFAULTS: Choices = { language: 'auto', mode: 'mono', vad: 'auto', engine: 'auto' };

export const choices = new Store<Choices>({
  ...DEFAULTS,
  ...readJson<Partial<Choices>>(STORAGE.options, {}),
});

export function choose(change: Partial<Choices>): void {
  choices.update((now) => ({ ...now, ...change }));
  writeJson(STORAGE.options, choices.get());
}

/** What the form sends; a choice the server no longer offers falls back to automatic. */
export function toJobChoices(picked: Choices, options: Options | undefined): JobChoices {
  const [engine = 'auto', model] = picked.engine.split(/:(.*)/s);
  const offered =
    engine !== 'auto' &&
    (!options || options.engines.some((item) => item.name === engine)) &&
    (!model || !options || options.models.some((item) => item.name === model));
  return {
    language: picked.language,
    mode: picked.mode,
    vad: picked.vad,
    ...(offered ? { engine: engine as JobChoices['engine'], ...(model ? { model } : {}) } : {}),
  };
}
