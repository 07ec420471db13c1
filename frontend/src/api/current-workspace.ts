/** Which workspace the pages show. A choice of this browser, never a claim: the server judges every request. */

import { STORAGE } from '@/config/constants';
import { readJson, writeJson } from '@/lib/storage';
import { Store } from '@/lib/store';

import { session } from './session';
import type { UserWorkspace } from './types';

class CurrentWorkspace {
  /** Null while nobody is signed in. */
  readonly state = new Store<UserWorkspace | null>(null);
  // Kept in this tab: another tab may show another workspace.
  private chosen = readJson<string | null>(STORAGE.workspace, null);

  constructor() {
    session.state.subscribe(() => {
      this.settle();
    });
    this.settle();
  }

  get id(): string | null {
    return this.state.get()?.id ?? null;
  }

  choose(id: string): void {
    this.chosen = id;
    writeJson(STORAGE.workspace, id);
    this.settle();
  }

  /** Whoever left the chosen one, or never was in it, is in their own: it comes first. */
  private settle(): void {
    const known = session.user?.workspaces ?? [];
    this.state.set(known.find(({ id }) => id === this.chosen) ?? known[0] ?? null);
  }
}

export const currentWorkspace = new CurrentWorkspace();

export const WORKSPACE_HEADER = 'X-Workspace-Id';

/** Headers of a request that means another workspace than the one that is shown. */
export const inWorkspace = (id: string) => ({ headers: { [WORKSPACE_HEADER]: id } });
