/** Options for new files, remembered in this browser. */

import { DEFAULT_CHOICES, type Choices } from '@/api/choices';
import { STORAGE } from '@/config/constants';
import { readJson, writeJson } from '@/lib/storage';
import { Store } from '@/lib/store';

export const choices = new Store<Choices>({
  ...DEFAULT_CHOICES,
  ...readJson<Partial<Choices>>(STORAGE.options, {}),
});

export function choose(change: Partial<Choices>): void {
  choices.update((now) => ({ ...now, ...change }));
  writeJson(STORAGE.options, choices.get());
}
