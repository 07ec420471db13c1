/** When a waiting job is tried again. Takes plain fields. */

const HOUR_MS = 3_600_000;

interface Waiting {
  status: string;
  wait_reason?: string | null;
  run_after?: string | null;
}

/**
 * Milliseconds until the next try, or null where there is nothing to count down: the job is due, runs, or waits for
 * something that wakes it long before.
 */
export function untilNextTry(job: Waiting, now: number): number | null {
  if (job.status !== 'pending' || !job.run_after) return null;
  const left = Date.parse(job.run_after) - now;
  if (!(left > 0) || (job.wait_reason && left > HOUR_MS)) return null;
  return left;
}

/** Whether a person can have it tried now instead of later, and that may help. */
export function canHurry(job: Waiting, now: number): boolean {
  return (
    job.status === 'pending' &&
    mayHaveChanged(job.wait_reason) &&
    Boolean(job.run_after) &&
    Date.parse(job.run_after ?? '') > now
  );
}

/**
 * What ends only when somebody mends, installs, allows or frees something: the server notices that by itself, and until
 * then a try comes to the same end.
 */
const VAIN = new Set([
  'model_downloading',
  'model_invalid',
  'model_retired',
  'engine_missing',
  'engine_elsewhere',
  'language_unsupported',
  'translation_unsupported',
  'cloud_not_configured',
  'cloud_forbidden',
  'parallel_limit',
  'no_worker',
]);

/** Whether what a job waits for may be there by now. Of reasons that this page does not know yet, it may. */
export function mayHaveChanged(reason: string | null | undefined): boolean {
  return !reason || !VAIN.has(reason);
}
