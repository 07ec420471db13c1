import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { patchJob, updateJob } from '@/api/cache';
import type { JobFilter } from '@/api/keys';
import { session } from '@/api/session';
import { aJob, aToken, someOptions } from '@/testing/builders';
import { renderInApp } from '@/testing/render';
import { server } from '@/testing/server';

import { JobList } from './job-list';

const ALL: JobFilter = { tab: 'all', q: '' };
let asked: URLSearchParams[] = [];

function serve(jobs: ReturnType<typeof aJob>[]) {
  server.use(
    http.get('*/api/jobs', ({ request }) => {
      const query = new URL(request.url).searchParams;
      asked.push(query);
      const status = query.get('status');
      const items = jobs.filter((job) => !status || job.status === status);
      return HttpResponse.json({ items, next_cursor: null });
    }),
  );
}

beforeEach(() => {
  asked = [];
  session.accept(aToken());
  server.use(http.get('*/api/options', () => HttpResponse.json(someOptions())));
});

const show = (filter = ALL, onClear = vi.fn()) => ({
  ...renderInApp(<JobList filter={filter} onClear={onClear} />),
  user: userEvent.setup(),
  onClear,
});

describe('JobList', () => {
  it('shows stage, time left, accuracy, warnings and errors', async () => {
    serve([
      aJob({
        id: '1',
        filename: 'run.wav',
        status: 'processing',
        stage: 'transcribing',
        progress: 0.42,
        eta_seconds: 90,
      }),
      aJob({
        id: '2',
        filename: 'low.wav',
        low_accuracy: true,
        warnings: [
          { code: 'low_accuracy', message: 'x' },
          { code: 'gaps', message: 'Two gaps.' },
        ],
      }),
      aJob({
        id: '3',
        filename: 'bad.pdf',
        status: 'failed',
        error: { code: 'unsupported_media', message: 'This is not a recording.' },
      }),
      aJob({ id: '4', filename: 'wait.wav', status: 'pending', wait_reason: 'model_missing' }),
    ]);
    show();
    const row = async (name: string) => within((await screen.findByText(name)).closest('tr')!);
    expect((await row('run.wav')).getByText('Transcribing 42 %')).toBeVisible();
    expect((await row('run.wav')).getByText('about 2 min left')).toBeVisible();
    expect((await row('run.wav')).getByRole('progressbar')).toHaveAttribute('aria-valuenow', '42');
    expect((await row('low.wav')).getByText('Low accuracy')).toBeVisible();
    expect((await row('low.wav')).getByText('1 warning')).toBeVisible();
    expect((await row('bad.pdf')).getByText('This is not a recording.')).toBeVisible();
    expect((await row('wait.wav')).getByText(/speech model is not on the server/)).toBeVisible();
    expect((await row('wait.wav')).getByText('Waiting')).toBeVisible();
  });

  it('marks what waits for something, and offers a try where that may help', async () => {
    const run_after = new Date(Date.now() + 86_400_000).toISOString();
    const pending = (id: string, wait_reason: string | null, filename: string) =>
      aJob({ id, filename, wait_reason, status: 'pending', run_after });
    serve([
      pending('1', 'storage_full', 'full.wav'),
      pending('2', 'model_invalid', 'damaged.wav'),
      pending('3', 'no_worker', 'nobody.wav'),
      aJob({ id: '4', filename: 'turn.wav', status: 'pending' }),
    ]);
    show();
    const row = async (name: string) => within((await screen.findByText(name)).closest('tr')!);
    for (const [name, said, buttons] of [
      ['full.wav', /no free disk space/, 1],
      ['damaged.wav', /model on the server is damaged/, 0],
      ['nobody.wav', /no process that works on jobs at the moment/, 0],
    ] as const) {
      expect((await row(name)).getByText('Waiting')).toBeVisible();
      expect((await row(name)).getByText(said)).toBeVisible();
      expect((await row(name)).queryAllByRole('button', { name: 'Retry now' })).toHaveLength(
        buttons,
      );
    }
    // The stage says it already.
    expect((await row('turn.wav')).getByText('Waiting for its turn')).toBeVisible();
    expect((await row('turn.wav')).queryByText('Waiting')).toBeNull();
  });

  it('follows events in the cache', async () => {
    const job = aJob({ status: 'processing', stage: 'decoding', progress: 0.1 });
    serve([job]);
    const { cache } = show();
    await screen.findByText('Reading audio');
    updateJob(cache, job.id, (known) => ({ ...known, stage: 'transcribing', progress: 0.5 }));
    expect(await screen.findByText('Transcribing 50 %')).toBeVisible();
    serve([aJob()]);
    patchJob(cache, aJob());
    expect(await screen.findByText('Completed')).toBeVisible();
    await waitFor(() => {
      expect(asked.length).toBe(2);
    });
  });

  it('asks for both statuses of the running tab', async () => {
    serve([
      aJob({ id: '1', filename: 'a.wav', status: 'pending' }),
      aJob({ id: '2', filename: 'b.wav', status: 'processing' }),
      aJob({ id: '3', filename: 'c.wav' }),
    ]);
    show({ tab: 'running', q: 'wav' });
    const links = await screen.findAllByRole('link');
    expect(links.map((link) => link.textContent)).toEqual(['b.wav', 'a.wav']);
    expect(asked.map((query) => [query.get('status'), query.get('q')])).toEqual([
      ['processing', 'wav'],
      ['pending', 'wav'],
    ]);
  });

  it('is honest about emptiness, a vain search and failure', async () => {
    serve([]);
    const { unmount } = show();
    expect(await screen.findByText('No transcripts yet')).toBeVisible();
    unmount();
    const second = show({ tab: 'all', q: 'zzz' });
    await second.user.click(await screen.findByRole('button', { name: 'Show all' }));
    expect(second.onClear).toHaveBeenCalled();
    second.unmount();
    server.use(
      http.get('*/api/jobs', () =>
        HttpResponse.json(
          { error: { code: 'internal', message: 'It broke.', request_id: 'req-9' } },
          { status: 500 },
        ),
      ),
    );
    show();
    const alert = await screen.findByRole('alert');
    expect(alert).toHaveTextContent('It broke.');
    expect(alert).toHaveTextContent('req-9');
    expect(within(alert).getByRole('button', { name: 'Try again' })).toBeVisible();
  });

  it('deletes after a question', async () => {
    serve([aJob()]);
    let deleted = '';
    server.use(
      http.delete('*/api/jobs/:id', ({ params }) => {
        deleted = String(params.id);
        serve([]);
        return new HttpResponse(null, { status: 204 });
      }),
    );
    const { user } = show();
    await user.click(await screen.findByRole('button', { name: 'Actions for meeting.m4a' }));
    await user.click(await screen.findByRole('menuitem', { name: 'Delete' }));
    const dialog = await screen.findByRole('dialog');
    expect(dialog).toHaveTextContent('meeting.m4a');
    await user.click(within(dialog).getByRole('button', { name: 'Delete' }));
    expect(await screen.findByText('No transcripts yet')).toBeVisible();
    expect(deleted).toBe('job-1');
  });

  it('runs a weak transcript again with the real model', async () => {
    serve([aJob({ low_accuracy: true, engine: 'pocketsphinx', model: null })]);
    let sent: unknown;
    server.use(
      http.post('*/api/jobs/:id/retry', async ({ request }) => {
        sent = await request.json();
        return HttpResponse.json(aJob({ status: 'pending' }));
      }),
    );
    const { user } = show();
    await user.click(await screen.findByRole('button', { name: /Actions for/ }));
    await user.click(await screen.findByRole('menuitem', { name: /real model/ }));
    await user.click(
      within(await screen.findByRole('dialog')).getByRole('button', { name: 'Run again' }),
    );
    await waitFor(() => {
      expect(sent).toEqual({ engine: 'whisper_cpp', model: 'base-q8_0' });
    });
  });
});
