/** After the text is there: listening to gaps again, and speakers. */

import { useMutation, useQueryClient, type QueryKey } from '@tanstack/react-query';

import { patchJob } from './cache';
import { http, unwrap } from './client';
import { keys } from './keys';
import type { Gap, Speaker, SpeakerCount, TranscriptResult } from './types';

const of = (id: string) => ({ params: { path: { job_id: id } } });

/** Listens to one gap again, or to all where none is named; the rest of the text stays. */
export function useRetryGaps(id: string) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (gap: Gap | null) =>
      unwrap(
        http.POST('/api/jobs/{job_id}/gaps/retry', {
          ...of(id),
          body: gap ? { start_ms: gap.start_ms, end_ms: gap.end_ms } : {},
        }),
      ),
    onSuccess: (job) => {
      patchJob(cache, job);
    },
  });
}

/** Tells the speakers apart again, without listening to the words again. */
export function useRetrySpeakers(id: string) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (count: SpeakerCount) =>
      unwrap(http.POST('/api/jobs/{job_id}/speakers/retry', { ...of(id), body: count })),
    onSuccess: (job) => {
      patchJob(cache, job);
      void cache.invalidateQueries({ queryKey: keys.result(id) });
    },
  });
}

interface Naming {
  speaker: string;
  name: string;
}

function withName(result: TranscriptResult | undefined, speaker: string, name: string) {
  return result
    ? {
        ...result,
        speakers: result.speakers.map((known) =>
          known.id === speaker ? { ...known, name: name || known.label } : known,
        ),
      }
    : result;
}

/** Where a speaker is named: the text in the cache that shows it, and the call. */
export interface NamingPlace {
  key: QueryKey;
  send: (speaker: string, name: string) => Promise<Speaker>;
}

export function jobNaming(id: string): NamingPlace {
  return {
    key: keys.result(id),
    send: (speaker, name) =>
      unwrap(
        http.PATCH('/api/jobs/{job_id}/speakers/{speaker}', {
          params: { path: { job_id: id, speaker } },
          body: { name },
        }),
      ),
  };
}

/** Names a speaker at once, and takes it back where the server refuses. An empty name: the label again. */
export function useNameSpeaker({ key, send }: NamingPlace, onRefused: (error: unknown) => void) {
  const cache = useQueryClient();
  const nameOf = (speaker: string) =>
    cache.getQueryData<TranscriptResult>(key)?.speakers.find((known) => known.id === speaker)?.name;
  const write = (speaker: string, name: string) => {
    cache.setQueryData<TranscriptResult>(key, (known) => withName(known, speaker, name));
  };
  return useMutation({
    mutationFn: ({ speaker, name }: Naming) => send(speaker, name),
    onMutate: ({ speaker, name }) => {
      const before = nameOf(speaker) ?? '';
      write(speaker, name);
      return before;
    },
    onSuccess: (saved) => {
      write(saved.id, saved.name);
    },
    // Here and not at the call: the dialog that called is gone by then.
    onError: (error, { speaker }, before) => {
      write(speaker, before ?? '');
      onRefused(error);
    },
  });
}
