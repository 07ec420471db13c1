/** Fixed figures of the app, in one place. */

export const APP_NAME = 'Transcribe';

/** Files uploaded at the same time. */
export const PARALLEL_FILES = 2;
/** Parts of one file in flight. */
export const PARALLEL_PARTS = 4;
/** Part URLs asked for in one call. */
export const SIGN_BATCH = 16;
/** Tries of one part before the file is shown as failed. */
export const PART_ATTEMPTS = 6;

export const JOBS_PAGE_SIZE = 30;
export const RECENT_JOBS = 5;
/** Jobs in one request that cancels, retries or deletes many. */
export const BULK_STEP = 50;
/** Lists are asked again at most this often while events pour in, in ms. */
export const LIST_REFRESH_MS = 800;
/** Entries of a job's history shown at a time. */
export const HISTORY_PAGE_SIZE = 50;

/** The access token is renewed when it has less than this left, in ms. */
export const TOKEN_MARGIN_MS = 20_000;

/** Names of browser storage entries. No token is ever kept there. */
export const STORAGE = {
  signedIn: 'transcribe.signed-in',
  workspace: 'transcribe.workspace',
  uploads: 'transcribe.uploads',
  options: 'transcribe.options',
  player: 'transcribe.player',
  keys: 'transcribe.single-keys',
  uncertain: 'transcribe.uncertain-words',
} as const;
