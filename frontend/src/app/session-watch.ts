/** Leaves the signed-in pages when the session ends, here or in another tab. */

import type { QueryClient } from '@tanstack/react-query';

import { session } from '@/api/session';
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
}
