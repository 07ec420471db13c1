/**
 * Who is signed in. The access token lives in this object only; the refresh token is an httpOnly
 * cookie that no script can read. Storage holds one flag, which says that a refresh is worth a try.
 */

import { STORAGE, TOKEN_MARGIN_MS } from '@/config/constants';
import { errorFrom, NetworkError } from '@/lib/errors';
import { readJson, removeKey, storageWorks, writeJson } from '@/lib/storage';
import { Store } from '@/lib/store';

import type { TokenResponse, UserMe } from './types';

export type SessionState =
  { status: 'unknown' } | { status: 'signed-out' } | { status: 'signed-in'; user: UserMe };

const LOCK = 'transcribe-refresh';

export class Session {
  readonly state = new Store<SessionState>({ status: 'unknown' });
  private token: string | null = null;
  private expiresAt = 0;
  private inFlight: Promise<boolean> | null = null;
  private generation = 0;
  private readonly channel =
    typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('transcribe-session');

  constructor() {
    this.channel?.addEventListener('message', (event) => {
      if (event.data === 'signed-out') this.forget();
    });
  }

  /** The token, renewed first where it is about to end. Null when nobody is signed in. */
  async accessToken(): Promise<string | null> {
    if (this.token && Date.now() > this.expiresAt - TOKEN_MARGIN_MS) {
      // A renewal that cannot reach the server is no reason to drop a token that may still work.
      await this.refresh().catch(() => false);
    }
    return this.token;
  }

  get currentToken(): string | null {
    return this.token;
  }

  get user(): UserMe | null {
    const state = this.state.get();
    return state.status === 'signed-in' ? state.user : null;
  }

  accept(response: TokenResponse): void {
    this.generation += 1;
    this.token = response.access_token;
    this.expiresAt = Date.now() + response.expires_in * 1000;
    writeJson(STORAGE.signedIn, true);
    this.state.set({ status: 'signed-in', user: response.user });
  }

  /** The same sign-in, of a user about whom something has changed. */
  changed(user: UserMe): void {
    if (this.user) this.state.set({ status: 'signed-in', user });
  }

  /** Settles `unknown` on page load. Throws `NetworkError` where the server cannot be reached. */
  async start(): Promise<SessionState> {
    if (this.state.get().status === 'unknown') {
      const worthATry = readJson(STORAGE.signedIn, false) || !storageWorks();
      if (worthATry) await this.refresh();
      else this.state.set({ status: 'signed-out' });
    }
    return this.state.get();
  }

  /** One renewal at a time: calls that come meanwhile share its outcome. True when signed in. */
  refresh(): Promise<boolean> {
    this.inFlight ??= this.acrossTabs(() => this.renew()).finally(() => {
      this.inFlight = null;
    });
    return this.inFlight;
  }

  /** Ends the session here and in the other tabs. */
  signedOut(): void {
    this.forget();
    this.channel?.postMessage('signed-out');
  }

  private forget(): void {
    this.generation += 1;
    this.token = null;
    this.expiresAt = 0;
    removeKey(STORAGE.signedIn);
    this.state.set({ status: 'signed-out' });
  }

  private async acrossTabs(work: () => Promise<boolean>): Promise<boolean> {
    // navigator.locks exists in secure contexts only.
    const locks = (navigator as { locks?: LockManager }).locks;
    return locks ? await locks.request(LOCK, work) : work();
  }

  private async renew(): Promise<boolean> {
    const generation = this.generation;
    let response: Response;
    try {
      response = await fetch('/api/auth/refresh', { method: 'POST', credentials: 'same-origin' });
    } catch (error) {
      throw new NetworkError(error);
    }
    // Someone signed in or out while this was on its way: their outcome holds.
    if (generation !== this.generation) return this.token !== null;
    if (response.ok) {
      this.accept((await response.json()) as TokenResponse);
      return true;
    }
    if (response.status === 401 || response.status === 403) {
      this.signedOut();
      return false;
    }
    throw await errorFrom(response);
  }
}

export const session = new Session();
