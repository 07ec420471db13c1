import { delay, http, HttpResponse } from 'msw';
import { beforeEach, describe, expect, it } from 'vitest';

import { STORAGE } from '@/config/constants';
import { writeJson } from '@/lib/storage';
import { aToken } from '@/testing/builders';
import { server } from '@/testing/server';

import { authFetch } from './client';
import { Session, session } from './session';

let refreshes = 0;

function refreshAnswers(status: number, token = 'token-2') {
  server.use(
    http.post('*/api/auth/refresh', async () => {
      refreshes += 1;
      await delay(10);
      return status === 200
        ? HttpResponse.json(aToken(token))
        : HttpResponse.json({ error: { code: 'x', message: 'x' } }, { status });
    }),
  );
}

beforeEach(() => {
  refreshes = 0;
});

describe('Session', () => {
  it('shares one renewal between callers', async () => {
    refreshAnswers(200);
    const own = new Session();
    expect(await Promise.all([own.refresh(), own.refresh(), own.refresh()])).toEqual([
      true,
      true,
      true,
    ]);
    expect(refreshes).toBe(1);
    expect(own.user?.email).toBe('ada@example.org');
  });

  it('does not ask where nobody has signed in here', async () => {
    expect((await new Session().start()).status).toBe('signed-out');
    expect(refreshes).toBe(0);
  });

  it('restores the session on load', async () => {
    refreshAnswers(200);
    writeJson(STORAGE.signedIn, true);
    expect((await new Session().start()).status).toBe('signed-in');
  });

  it('is signed out by a refusal, not by a server that is away', async () => {
    const own = new Session();
    own.accept(aToken());
    refreshAnswers(503);
    await expect(own.refresh()).rejects.toThrow();
    expect(own.state.get().status).toBe('signed-in');
    refreshAnswers(401);
    expect(await own.refresh()).toBe(false);
    expect(own.state.get().status).toBe('signed-out');
  });

  it('renews a token that is about to end before it is used', async () => {
    refreshAnswers(200);
    const own = new Session();
    own.accept(aToken('old', 5));
    expect(await own.accessToken()).toBe('token-2');
  });

  it('lets a sign-out win over a renewal on its way', async () => {
    refreshAnswers(200);
    const own = new Session();
    own.accept(aToken());
    const renewal = own.refresh();
    own.signedOut();
    await renewal;
    expect(own.state.get().status).toBe('signed-out');
    expect(own.currentToken).toBeNull();
  });

  it('keeps the token out of storage', () => {
    new Session().accept(aToken('secret-token'));
    expect(JSON.stringify({ ...localStorage, ...sessionStorage })).not.toContain('secret-token');
  });
});

describe('authFetch', () => {
  const seen: (string | null)[] = [];

  beforeEach(() => {
    seen.length = 0;
    session.accept(aToken('token-1'));
    server.use(
      http.post('*/api/thing', async ({ request }) => {
        const auth = request.headers.get('authorization');
        seen.push(auth);
        if (auth !== 'Bearer token-2') return new HttpResponse(null, { status: 401 });
        return HttpResponse.text(await request.text());
      }),
    );
  });

  it('sends again once after a renewal, with the same body', async () => {
    refreshAnswers(200);
    const response = await authFetch('/api/thing', { method: 'POST', body: 'hello' });
    expect(await response.text()).toBe('hello');
    expect(seen).toEqual(['Bearer token-1', 'Bearer token-2']);
  });

  it('renews once for many calls', async () => {
    refreshAnswers(200);
    const calls = Array.from({ length: 5 }, () =>
      authFetch('/api/thing', { method: 'POST', body: 'x' }),
    );
    const statuses = (await Promise.all(calls)).map((response) => response.status);
    expect(statuses).toEqual([200, 200, 200, 200, 200]);
    expect(refreshes).toBe(1);
  });

  it('gives the 401 back where the session is over', async () => {
    refreshAnswers(401);
    const response = await authFetch('/api/thing', { method: 'POST', body: 'x' });
    expect(response.status).toBe(401);
    expect(session.state.get().status).toBe('signed-out');
  });

  it('does not loop where the new token is refused too', async () => {
    refreshAnswers(200, 'token-3');
    const response = await authFetch('/api/thing', { method: 'POST', body: 'x' });
    expect(response.status).toBe(401);
    expect(seen).toHaveLength(2);
  });
});
