import { QueryClient } from '@tanstack/react-query';
import { waitFor } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { beforeEach, describe, expect, it } from 'vitest';

import { aJob, aResult, aSegment, aToken } from '@/testing/builders';
import { server } from '@/testing/server';

import { patchJob } from './cache';
import { FIRST_PAGE, type TabPage } from './job-pages';
import { keys } from './keys';
import { watchJob, watchJobs } from './live';
import { session } from './session';
import type { Job, TranscriptResult } from './types';

const started = (committed: number, change: Partial<Job> = {}) =>
  aJob({
    status: 'processing',
    attempt: 2,
    windows: { planned: 2, committed, executed: committed },
    ...change,
  });
const oldText = () => aResult({ segments: [aSegment(0, 'old a'), aSegment(1, 'old b')] });

let cache: QueryClient;
const shown = () => cache.getQueryData<TranscriptResult>(keys.result('job-1'));

/** A stream that a test feeds. */
function serveStream(path = 'job-1/events') {
  let out: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      out = controller;
    },
  });
  server.use(
    http.get(
      `*/api/jobs/${path}`,
      () => new HttpResponse(body, { headers: { 'content-type': 'text/event-stream' } }),
    ),
  );
  let seq = 0;
  const send = (type: string, data: unknown) => {
    seq += 1;
    const text = `id: ${String(seq)}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
    out?.enqueue(new TextEncoder().encode(text));
  };
  const segments = (window: number, ...list: ReturnType<typeof aSegment>[]) => {
    send('segments', { job_id: 'job-1', window, segments: list });
  };
  return { send, segments };
}

async function watching(check: () => Promise<void>) {
  const abort = new AbortController();
  void watchJob('job-1', { cache, signal: abort.signal });
  try {
    await check();
  } finally {
    abort.abort(new DOMException('left', 'AbortError'));
  }
}

beforeEach(() => {
  cache = new QueryClient();
  session.accept(aToken());
});

it('strikes out of the list what somebody else has deleted', async () => {
  const list = keys.list({ tab: 'all', q: '' });
  const items = [aJob({ id: 'job-1' }), aJob({ id: 'job-2' })];
  cache.setQueryData(list, { pages: [{ items, next: null }], pageParams: [FIRST_PAGE] });
  const stream = serveStream('events');
  const abort = new AbortController();
  void watchJobs({ cache, signal: abort.signal });
  stream.send('removed', { job_id: 'job-1' });
  await waitFor(() => {
    const shownList = cache.getQueryData<{ pages: TabPage[] }>(list);
    expect(shownList?.pages[0]?.items.map((job) => job.id)).toEqual(['job-2']);
  });
  abort.abort(new DOMException('left', 'AbortError'));
});

describe('a job that runs again', () => {
  it('keeps the earlier text and replaces it entirely by the first new one', async () => {
    cache.setQueryData(keys.job('job-1'), aJob());
    cache.setQueryData(keys.result('job-1'), oldText());
    const stream = serveStream();
    await watching(async () => {
      stream.send('status', started(0));
      await waitFor(() => {
        expect(shown()).toMatchObject({ previous: true, complete: false, text: 'old a old b' });
      });
      stream.segments(1, aSegment(1, 'new b'));
      await waitFor(() => {
        expect(shown()?.text).toBe('new b');
      });
      expect(shown()?.previous).toBeFalsy();
      stream.segments(0, aSegment(0, 'new a'));
      await waitFor(() => {
        expect(shown()?.text).toBe('new a new b');
      });
      stream.send('end', { job_id: 'job-1', status: 'completed' });
      await waitFor(() => {
        expect(cache.getQueryState(keys.result('job-1'))?.isInvalidated).toBe(true);
      });
    });
  });

  it('keeps the text around the gaps that are listened to again', async () => {
    cache.setQueryData(keys.job('job-1'), aJob());
    cache.setQueryData(keys.result('job-1'), oldText());
    const stream = serveStream();
    await watching(async () => {
      stream.send('status', started(1));
      await waitFor(() => {
        expect(shown()?.previous).toBe(true);
      });
      // The answer to the question that the new run causes.
      cache.setQueryData<TranscriptResult>(keys.result('job-1'), (known) => known && { ...known });
      expect(cache.getQueryState(keys.result('job-1'))?.isInvalidated).toBe(false);
      stream.segments(1, aSegment(1, 'heard at last'));
      await waitFor(() => {
        expect(cache.getQueryState(keys.result('job-1'))?.isInvalidated).toBe(true);
      });
      expect(shown()).toMatchObject({ previous: true, text: 'old a old b' });
    });
  });

  it('drops the windows of a run that starts over, and keeps those of a resumed one', async () => {
    const partial = aResult({ complete: false, segments: [aSegment(0, 'kept')] });
    cache.setQueryData(keys.result('job-1'), partial);
    const stream = serveStream();
    await watching(async () => {
      stream.send('status', started(1));
      stream.segments(1, aSegment(1, 'more'));
      await waitFor(() => {
        expect(shown()?.text).toBe('kept more');
      });
      stream.send('status', started(0, { attempt: 3 }));
      await waitFor(() => {
        expect(shown()?.segments).toEqual([]);
      });
    });
  });
});

describe('patchJob', () => {
  it('sets the text aside when a job is queued again, and asks for it anew at its end', () => {
    cache.setQueryData(keys.job('job-1'), aJob());
    cache.setQueryData(keys.result('job-1'), oldText());
    patchJob(cache, aJob({ status: 'pending', attempt: 2 }));
    expect(shown()).toMatchObject({ previous: true, complete: false, text: 'old a old b' });
    cache.setQueryData(keys.result('job-1'), shown());
    patchJob(cache, aJob({ status: 'cancelled', attempt: 2 }));
    expect(cache.getQueryState(keys.result('job-1'))?.isInvalidated).toBe(true);
  });
});
