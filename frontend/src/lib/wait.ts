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

/** Whether a person can have it tried now instead of later. */
export function canHurry(job: Waiting, now: number): boolean {
  return (
    job.status === 'pending' && Boolean(job.run_after) && Date.parse(job.run_after ?? '') > now
  );
}
