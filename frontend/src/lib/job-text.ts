/** A job's state in plain words. Takes plain fields, so that it stays on the ground floor. */

import { duration, percent } from './format';
import { lookup, t } from './i18n';

interface JobLike {
  status: string;
  stage?: string | null;
  progress: number;
  eta_seconds?: number | null;
  wait_reason?: string | null;
  error?: { message: string } | null;
  cancel_requested?: boolean;
}

/** `Waiting for its turn`, `Reading audio`, `Transcribing 42 %`. */
export function stageText(job: JobLike): string {
  if (job.status === 'pending') {
    if (job.wait_reason) return waitText(job.wait_reason);
    return job.error ? t('wait.failedTry', { message: job.error.message }) : t('stage.waiting');
  }
  if (job.status !== 'processing') return lookup('status', job.status, job.status);
  if (job.cancel_requested) return t('status.cancelling');
  if (!job.stage) return t('stage.starting');
  const name = lookup('stage', job.stage, job.stage);
  return job.stage === 'transcribing' ? `${name} ${percent(job.progress)}` : name;
}

export function waitText(reason: string): string {
  return lookup('wait', reason, t('wait.unknown', { reason: reason.replaceAll('_', ' ') }));
}

/** Shown once a tenth is done: earlier guesses jump about. */
export function etaText(job: JobLike): string | null {
  if (job.status !== 'processing' || job.eta_seconds == null || job.progress < 0.1) return null;
  return t('job.eta', { time: duration(job.eta_seconds * 1000) });
}

/** Names of the engines as people know them. */
export function engineName(engine: string | null | undefined, model?: string | null): string {
  if (!engine) return t('engine.auto');
  const name = lookup('engine', engine, engine);
  return model && model !== engine ? `${name} · ${model}` : name;
}

/** The operator's command that fetches the model the server would use by default. */
export function downloadCommand(models: readonly { name: string; default: boolean }[]): string {
  const name = models.find((model) => model.default)?.name ?? 'base-q8_0';
  return `transcribe models download ${name}`;
}
