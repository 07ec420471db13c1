/** Options for new files: what was picked, remembered in this browser, over what the workspace takes by itself. */

import { DEFAULT_CHOICES, type Choices } from '@/api/choices';
import { STORAGE } from '@/config/constants';
import { readJson, writeJson } from '@/lib/storage';
import { Store } from '@/lib/store';

/** What a workspace has a word on. */
export type Standard = Pick<Choices, 'language' | 'mode'>;

let standard: Choices = DEFAULT_CHOICES;
let standardOf: string | null = null;
let picked = readJson<Partial<Choices>>(STORAGE.options, {});

export const choices = new Store<Choices>({ ...standard, ...picked });

export function choose(change: Partial<Choices>): void {
  pick({ ...picked, ...change });
}

/** The defaults of the workspace that is shown. What was picked in another one is no choice for this one. */
export function setStandard(workspace: string, { language, mode }: Standard): void {
  const moved = standardOf !== null && standardOf !== workspace;
  standard = { ...DEFAULT_CHOICES, language, mode };
  standardOf = workspace;
  pick(moved ? { ...picked, language, mode } : picked);
}

/** What is as the workspace has it follows the workspace when that changes. */
function pick(next: Partial<Choices>): void {
  const { language, mode, ...rest } = next;
  picked = {
    ...rest,
    ...(language && language !== standard.language ? { language } : {}),
    ...(mode && mode !== standard.mode ? { mode } : {}),
  };
  writeJson(STORAGE.options, picked);
  choices.set({ ...standard, ...picked });
}
