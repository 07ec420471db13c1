/** The typed HTTP client. Every request carries the bearer token and the workspace, and is sent again once after 401. */

import createClient from 'openapi-fetch';

import { NetworkError, toApiError } from '@/lib/errors';

import { currentWorkspace, WORKSPACE_HEADER } from './current-workspace';
import type { paths } from './schema.gen';
import { session } from './session';

const NO_RETRY = /\/api\/auth\/(login|register|refresh|token|oidc\/factor)$/;

/** fetch with credentials. Also used for event streams and downloads. */
export async function authFetch(input: Request | string, init?: RequestInit): Promise<Response> {
  const url = typeof input === 'string' ? new URL(input, location.origin) : input;
  const request = new Request(url, { credentials: 'same-origin', ...init });
  const workspace = currentWorkspace.id;
  if (workspace && !request.headers.has(WORKSPACE_HEADER)) {
    request.headers.set(WORKSPACE_HEADER, workspace);
  }
  const mayRetry = !NO_RETRY.test(new URL(request.url).pathname);
  // A body can be read once only, so the spare copy is made before the first try.
  const spare = mayRetry ? request.clone() : null;
  const token = mayRetry ? await session.accessToken() : null;
  const response = await send(request, token);
  if (response.status !== 401 || !spare) return response;
  const renewed = session.currentToken !== token || (await session.refresh());
  if (!renewed || !session.currentToken) return response;
  void response.body?.cancel();
  return send(spare, session.currentToken);
}

async function send(request: Request, token: string | null): Promise<Response> {
  if (token) request.headers.set('Authorization', `Bearer ${token}`);
  try {
    return await fetch(request);
  } catch (error) {
    if (request.signal.aborted) throw error;
    throw new NetworkError(error);
  }
}

export const http = createClient<paths>({
  baseUrl: location.origin,
  fetch: (request: Request) => authFetch(request),
  querySerializer: { array: { style: 'form', explode: true } },
});

interface Outcome<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The data of a call, or its `ApiError` thrown. */
export async function unwrap<T>(call: Promise<Outcome<T>>): Promise<T> {
  const { data, error, response } = await call;
  if (!response.ok) {
    throw toApiError(response.status, error, response.headers.get('x-request-id'));
  }
  return data as T;
}
