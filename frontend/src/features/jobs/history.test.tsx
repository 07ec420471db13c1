import { act, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { session } from '@/api/session';
import type { HistoryItem, HistoryPage, Job } from '@/api/types';
import { RetryNow } from '@/components/ui/retry-now';
import { aJob, aToken } from '@/testing/builders';
import { renderInApp } from '@/testing/render';
import { server } from '@/testing/server';

import { HistoryView } from './history-view';

const TRIES = { attempt: 2, engine_errors: 0, engine_crashes: 2, host_losses: 1 };
const entry = (kind: HistoryItem['kind'], n: number, change: Partial<HistoryItem> = {}) => ({
  id: `entry-${String(n)}`,
  kind,
  at: `2026-11-28T10:00:${String(n).padStart(2, '0')}.000Z`,
  attempt: 1,
  by: null,
  by_api_key: false,
  ...change,
});

function serve(job: Job, ...pages: HistoryPage[]) {
  let at = 0;
  server.use(
    http.get('*/api/jobs/job-1', () => HttpResponse.json(job)),
    http.get('*/api/jobs/job-1/history', ({ request }) => {
      at = new URL(request.url).searchParams.get('cursor') ? at + 1 : 0;
      return HttpResponse.json(pages[at]);
    }),
  );
}

beforeEach(() => {
  session.accept(aToken());
});

describe('HistoryView', () => {
  it('tells what happened, why it was set aside and what to do', async () => {
    const error = {
      code: 'quarantined',
      message: 'The engine crashed 2 times on window 3.',
      advice: 'Retry with another model.',
      log_tail: 'ggml: out of memory',
      window: 2,
    };
    serve(
      aJob({ status: 'failed', error }),
      {
        items: [
          entry('failed', 9, { ...error }),
          entry('engine_crashed', 8, { window: 2, count: 2 }),
        ],
        next_cursor: 'older',
        tries: TRIES,
      },
      {
        items: [
          entry('engine_chosen', 2, {
            engine: 'whisper_cpp',
            model: 'base-q8_0',
            reasons: ['`mlx` is for Apple machines'],
          }),
          entry('created', 1, { by: { id: 'u', name: 'Ada', email: 'a@b.c' }, source: 'file' }),
        ],
        next_cursor: null,
        tries: TRIES,
      },
    );
    const user = userEvent.setup();
    renderInApp(<HistoryView jobId="job-1" />);
    const list = await screen.findByRole('list', { name: 'What happened, the newest first' });
    expect(
      screen.getByText('Attempt 2 · 2 crashes of the engine · the server went down 1 time'),
    ).toBeVisible();
    const alert = await screen.findByRole('alert');
    expect(alert).toHaveTextContent('What to do: Retry with another model.');
    expect(alert).toHaveTextContent('Error code: quarantined');
    // The message names the window, once, and the entry of this failure does not say it again.
    expect(screen.getAllByText(error.message)).toHaveLength(1);
    expect(screen.queryByText(/It happened in/)).toBeNull();
    expect(screen.queryByText(/\bpart\b/i)).toBeNull();
    await user.click(within(alert).getByText('Last words of the engine'));
    expect(within(alert).getByText('ggml: out of memory')).toBeVisible();
    expect(within(list).getByText('It was set aside.')).toBeVisible();
    expect(within(list).getByText('The engine crashed on window 3 (crash 2 there).')).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Show earlier' }));
    expect(await within(list).findByText('Ada asked for this transcription.')).toBeVisible();
    await user.click(within(list).getByText('Why this engine'));
    expect(within(list).getByText(/is for Apple machines/)).toBeVisible();
    expect(screen.queryByRole('button', { name: 'Show earlier' })).toBeNull();
  });

  it('keeps what earlier failures said, and where, once the job runs again', async () => {
    const message = 'The server went down 5 times in a row.';
    const failed = entry('failed', 9, { code: 'quarantined', message, window: 0 });
    serve(aJob({ status: 'processing' }), { items: [failed], next_cursor: null, tries: TRIES });
    renderInApp(<HistoryView jobId="job-1" />);
    const list = await screen.findByRole('list', { name: 'What happened, the newest first' });
    expect(within(list).getByText(message)).toBeVisible();
    expect(within(list).getByText('It happened in window 1.')).toBeVisible();
  });

  it('says of a job that failed twice what each failure was', async () => {
    const error = { code: 'engine_failed', message: 'It broke.' };
    const earlier = { code: 'no_audio_stream', message: 'It had no sound.' };
    serve(aJob({ status: 'failed', error }), {
      items: [entry('failed', 9, error), entry('failed', 3, earlier)],
      next_cursor: null,
      tries: TRIES,
    });
    renderInApp(<HistoryView jobId="job-1" />);
    expect(await screen.findByText('It had no sound.')).toBeVisible();
    expect(await screen.findAllByText('It broke.')).toHaveLength(1);
  });

  it('is honest about a job from before there were histories', async () => {
    serve(aJob(), { items: [], next_cursor: null, tries: { ...TRIES, engine_crashes: 0 } });
    renderInApp(<HistoryView jobId="job-1" />);
    expect(await screen.findByText(/Nothing has been noted about this job/)).toBeVisible();
  });
});

describe('RetryNow', () => {
  it('is not offered where a try cannot help, whenever the next one comes', async () => {
    const run_after = new Date(Date.now() + 600_000).toISOString();
    renderInApp(
      <RetryNow job={aJob({ status: 'pending', wait_reason: 'no_worker', run_after })} />,
    );
    expect(await screen.findByText(/^Next try in/)).toBeVisible();
    expect(screen.queryByRole('button')).toBeNull();
  });

  it('counts down to the next try and does not wait for it', async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    const in10Minutes = new Date(Date.now() + 600_000).toISOString();
    try {
      let asked = false;
      server.use(
        http.post('*/api/jobs/job-1/retry-now', () => {
          asked = true;
          return HttpResponse.json(aJob({ status: 'pending', run_after: '2026-11-28T10:00:00Z' }));
        }),
      );
      const user = userEvent.setup({ advanceTimers: vi.advanceTimersByTime.bind(vi) });
      const job = aJob({ status: 'pending', run_after: in10Minutes });
      renderInApp(<RetryNow job={job} />);
      expect(await screen.findByText(/^Next try in (10:00|9:5\d)$/)).toBeVisible();
      act(() => {
        vi.advanceTimersByTime(120_000);
      });
      expect(screen.getByText(/^Next try in (8:00|7:\d\d)$/)).toBeVisible();
      await user.click(screen.getByRole('button', { name: 'Retry now' }));
      expect(await screen.findByText('“meeting.m4a” is tried now.')).toBeVisible();
      expect(asked).toBe(true);
    } finally {
      vi.useRealTimers();
    }
  });
});
