/** Entries of a job's history as plain sentences. Takes plain fields, so that it stays on the ground floor. */

import { duration } from './format';
import { lookup, t } from './i18n';
import './i18n/en-history';
import { engineName, waitText } from './job-text';

export interface HistoryLike {
  kind: string;
  at: string;
  attempt: number;
  by?: { name: string | null; email: string | null } | null;
  by_api_key?: boolean;
  source?: string | null;
  site?: string | null;
  engine?: string | null;
  model?: string | null;
  stage?: string | null;
  reason?: string | null;
  run_after?: string | null;
  window?: number | null;
  count?: number | null;
  code?: string | null;
  what?: string | null;
  cached?: boolean | null;
  formats?: string[] | null;
}

const SENTENCES: Record<string, (entry: HistoryLike) => string> = {
  created: (entry) =>
    entry.source === 'playlist'
      ? t('history.created.playlist')
      : t(entry.source === 'link' ? 'history.created.link' : 'history.created.file', {
          who: whoText(entry),
        }),
  claimed: (entry) =>
    entry.attempt > 1
      ? t('history.claimed.again', { n: entry.attempt })
      : t('history.claimed.first'),
  recording_fetched: (entry) =>
    entry.site ? t('history.fetchedFrom', { site: entry.site }) : t('history.fetched'),
  engine_chosen: (entry) => t('history.engine', { engine: engineName(entry.engine, entry.model) }),
  stage: (entry) => {
    const stage = entry.stage ?? '';
    return lookup('history.stage', stage, t('history.stage.other', { stage: plain(stage) }));
  },
  waiting: (entry) => t('history.waiting', { why: waitText(entry.reason ?? '') }),
  window_repeated: (entry) =>
    t('history.repeated', { window: numberOf(entry.window ?? 0), n: entry.count ?? 1 }),
  engine_crashed: (entry) =>
    t('history.crashed', { window: numberOf(entry.window ?? 0), n: entry.count ?? 1 }),
  retry_scheduled: (entry) => {
    const pause = pauseOf(entry);
    return pause === null
      ? t('history.retry.now')
      : t('history.retry.later', { time: duration(pause) });
  },
  handed_back: () => t('history.handedBack'),
  host_lost: () => t('history.hostLost'),
  started_over: () => t('history.startedOver'),
  tried_at_once: (entry) => t('history.triedAtOnce', { who: whoText(entry) }),
  retried: (entry) => {
    const who = whoText(entry);
    if (entry.what === 'gaps') return t('history.retried.gaps', { who });
    if (entry.what === 'speakers') return t('history.retried.speakers', { who });
    if (!entry.engine || entry.engine === 'auto') return t('history.retried.all', { who });
    return t('history.retried.with', { who, engine: engineName(entry.engine, entry.model) });
  },
  cancel_requested: (entry) => t('history.cancelRequested', { who: whoText(entry) }),
  cancelled: () => t('history.cancelled'),
  failed: (entry) => t(entry.code === 'quarantined' ? 'history.quarantined' : 'history.failed'),
  completed: (entry) => t(entry.cached ? 'history.completedCached' : 'history.completed'),
  files_written: (entry) =>
    t('history.files', {
      formats: (entry.formats ?? []).map((format) => format.toUpperCase()).join(', '),
    }),
  recording_removed: () => t('history.recordingRemoved'),
};

/** One sentence, for kinds that this page does not know yet too. */
export function historyText(entry: HistoryLike): string {
  const sentence = SENTENCES[entry.kind];
  return sentence ? sentence(entry) : t('history.unknown', { kind: plain(entry.kind) });
}

/** How grave an entry is, for its sign. */
export function historyTone(entry: HistoryLike): 'good' | 'bad' | 'doubt' | 'person' | 'plain' {
  if (entry.kind === 'completed') return 'good';
  if (entry.kind === 'failed') return 'bad';
  if (['engine_crashed', 'host_lost', 'retry_scheduled', 'waiting'].includes(entry.kind)) {
    return 'doubt';
  }
  return entry.by ? 'person' : 'plain';
}

/** The window where a job failed as people count it, or null where none is known or the message names one already. */
export function unnamedWindow(failure: {
  message?: string | null;
  window?: number | null;
}): number | null {
  if (failure.window == null || /\bwindow \d/.test(failure.message ?? '')) return null;
  return numberOf(failure.window);
}

function whoText({ by, by_api_key: byKey }: HistoryLike): string {
  if (!by) return t('history.theServer');
  const who = by.name ?? by.email ?? t('history.somebody');
  return byKey ? t('history.byKey', { who }) : who;
}

/** People count windows from 1, as the server's messages do. */
function numberOf(window: number): number {
  return window + 1;
}

function pauseOf(entry: HistoryLike): number | null {
  const pause = entry.run_after ? Date.parse(entry.run_after) - Date.parse(entry.at) : 0;
  return pause >= 1000 ? pause : null;
}

function plain(code: string): string {
  return code.replaceAll('_', ' ');
}
