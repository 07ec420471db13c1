/** Leaves the signed-in pages when the session ends, here or in another tab; empties the cache when the workspace changes. */

import type { QueryClient } from '@tanstack/react-query';

import { rereadMe } from '@/api/account';
import { currentWorkspace } from '@/api/current-workspace';
import { session } from '@/api/session';
import { ApiError } from '@/lib/errors';
import { safeNext } from '@/lib/next-path';

import type { AppRouter } from './router';

export function watchSession(router: AppRouter, cache: QueryClient): void {
  let before = session.state.get().status;
  session.state.subscribe(() => {
    const now = session.state.get().status;
    const ended = before === 'signed-in' && now === 'signed-out';
    before = now;
    if (!ended) return;
    cache.clear();
    const here = router.state.location;
    if (/^\/(login|register)/.test(here.pathname)) return;
    const next = safeNext(here.href);
    void router.navigate({ to: '/login', search: next === '/' ? {} : { next } });
  });
  watchWorkspace(cache);
}

/** Not oftener than this asks a "not found" who is signed in, in ms. */
const REREAD_PAUSE_MS = 10_000;

function watchWorkspace(cache: QueryClient): void {
  let shown = currentWorkspace.id;
  currentWorkspace.state.subscribe(() => {
    const now = currentWorkspace.id;
    // Nothing of one workspace is ever shown in another. The pages begin anew after this.
    if (shown && now && shown !== now) cache.clear();
    shown = now;
  });
  // Who was removed from a workspace, or lost a role, finds that nothing answers there any more.
  let readAt = 0;
  cache.getQueryCache().subscribe((event) => {
    if (event.type !== 'updated' || event.action.type !== 'error') return;
    const error: unknown = event.action.error;
    if (!(error instanceof ApiError) || ![403, 404].includes(error.status)) return;
    if (!session.user || Date.now() - readAt < REREAD_PAUSE_MS) return;
    readAt = Date.now();
    rereadMe().catch(() => undefined);
  });
}
