import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import type { JobFilter } from '@/api/keys';
import { session } from '@/api/session';
import type { BulkItem, Job } from '@/api/types';
import type * as Constants from '@/config/constants';
import { aJob, aToken, someOptions } from '@/testing/builders';
import { renderInApp } from '@/testing/render';
import { server } from '@/testing/server';

import { JobList } from './job-list';

interface Sent {
  action: string;
  ids?: string[];
  filter?: { status: string[]; q: string | null; created_before: string };
  cursor?: string | null;
}

// These are a whole page, so that there may be another one.
vi.mock('@/config/constants', async (original) => ({
  ...(await original<typeof Constants>()),
  JOBS_PAGE_SIZE: 5,
}));

const STATUSES: Job['status'][] = ['pending', 'processing', 'pending', 'completed', 'failed'];

let jobs: Job[];
let sent: Sent[];

const refused = (job: Job, message: string): BulkItem => ({
  id: job.id,
  filename: job.filename,
  outcome: 'refused',
  code: 'invalid_state',
  message,
});

/** Cancels what is under way; a second step where a filter is walked. */
function answer(body: Sent) {
  const named = body.ids ? jobs.filter((job) => body.ids?.includes(job.id)) : jobs.slice(0, 2);
  const items = named.map((job): BulkItem =>
    job.status === 'completed'
      ? refused(job, 'This job is already completed.')
      : { id: job.id, filename: job.filename, outcome: 'done' },
  );
  return { items, next_cursor: body.filter && !body.cursor ? 'further' : null };
}

beforeEach(() => {
  session.accept(aToken());
  sent = [];
  jobs = STATUSES.map((status, n) =>
    aJob({ id: `job-${String(n)}`, filename: `talk-${String(n)}.wav`, status }),
  );
  server.use(
    http.get('*/api/options', () => HttpResponse.json(someOptions())),
    http.get('*/api/jobs', () => HttpResponse.json({ items: jobs, next_cursor: 'more' })),
    http.get('*/api/jobs/count', () => HttpResponse.json({ count: 1234, more: false })),
    http.post('*/api/jobs/bulk', async ({ request }) => {
      const body = (await request.json()) as Sent;
      sent.push(body);
      return HttpResponse.json(answer(body));
    }),
  );
});

async function show(filter: JobFilter = { tab: 'all', q: '' }) {
  const user = userEvent.setup();
  renderInApp(<JobList filter={filter} onClear={vi.fn()} />);
  await screen.findByText('talk-0.wav');
  return user;
}

const box = (n: number) => screen.getByLabelText(`Select talk-${String(n)}.wav`);
const bar = () => within(screen.getByRole('region', { name: 'Selected transcripts' }));

describe('many jobs at once', () => {
  it('selects by pointer, range and keys, and says what can be done', async () => {
    const user = await show();
    expect(screen.queryByRole('region', { name: 'Selected transcripts' })).toBeNull();
    await user.click(box(0));
    await user.keyboard('{Shift>}');
    await user.click(box(3));
    await user.keyboard('{/Shift}');
    expect(bar().getByRole('status')).toHaveTextContent('4 selected');
    expect(bar().getByRole('button', { name: 'Cancel 3' })).toBeEnabled();
    expect(bar().getByRole('button', { name: 'Retry' })).toBeDisabled();
    expect(bar().getByRole('button', { name: 'Delete 4' })).toBeEnabled();
  });

  it('takes all shown by a button, and none by Escape wherever one is', async () => {
    const user = await show();
    await user.click(box(0));
    await user.click(screen.getByText('Select all shown'));
    expect(screen.getByText('5 selected')).toBeVisible();
    await user.keyboard('{Escape}');
    expect(screen.queryByText('5 selected')).toBeNull();
    expect(box(0)).not.toBeChecked();
  });

  it('moves between the boxes by arrows, and takes all or none by key', async () => {
    const user = await show();
    await user.click(box(3));
    await user.keyboard('{ArrowDown}');
    expect(box(4)).toHaveFocus();
    await user.keyboard(' ');
    expect(bar().getByRole('button', { name: 'Retry 1' })).toBeEnabled();
    await user.keyboard('{Escape}');
    expect(screen.queryByRole('region', { name: 'Selected transcripts' })).toBeNull();
    await user.keyboard('{Control>}a{/Control}');
    expect(bar().getByRole('status')).toHaveTextContent('5 selected');
  });

  it('cancels the selected and leaves the others selected', async () => {
    const user = await show();
    for (const n of [0, 1, 3]) await user.click(box(n));
    await user.click(bar().getByRole('button', { name: 'Cancel 2' }));
    expect(await screen.findByText('2 transcriptions cancelled.')).toBeVisible();
    expect(sent.map((body) => [body.action, body.ids])).toEqual([['cancel', ['job-0', 'job-1']]]);
    expect(bar().getByRole('status')).toHaveTextContent('1 selected');
    expect(box(3)).toBeChecked();
  });

  it('tells of each job that could not be done why', async () => {
    const user = await show();
    await user.click(box(0));
    const [first] = jobs;
    jobs = [{ ...first!, status: 'completed' }, ...jobs.slice(1)]; // it ended meanwhile
    await user.click(bar().getByRole('button', { name: 'Cancel 1' }));
    const dialog = await screen.findByRole('dialog', { name: 'Not all could be done' });
    expect(dialog).toHaveTextContent('1 could not: This job is already completed.');
    expect(within(dialog).getByText('talk-0.wav')).toBeVisible();
  });

  it('walks all that the filter finds, after a question', async () => {
    const user = await show({ tab: 'running', q: 'talk' });
    await user.click(screen.getByRole('checkbox', { name: 'Select all in this list' }));
    await user.click(await bar().findByRole('button', { name: 'Select all 1234 that match' }));
    expect(bar().getByRole('status')).toHaveTextContent('All 1234 that match are selected');
    await user.click(bar().getByRole('button', { name: 'Delete' }));
    const dialog = await screen.findByRole('dialog', { name: 'Delete 1234 transcripts?' });
    expect(sent).toEqual([]);
    await user.click(within(dialog).getByRole('button', { name: 'Delete' }));
    await waitFor(() => {
      expect(sent.map((body) => body.cursor)).toEqual([null, 'further']);
    });
    expect(sent[0]?.filter).toMatchObject({ status: ['processing', 'pending'], q: 'talk' });
    expect(Date.parse(sent[0]?.filter?.created_before ?? '')).toBeGreaterThan(0);
    expect(await screen.findByText('4 transcripts deleted.')).toBeVisible();
  });

  it('says where it broke off and keeps what was not reached', async () => {
    const user = await show();
    for (const n of [0, 1]) await user.click(box(n));
    server.use(
      http.post('*/api/jobs/bulk', () =>
        HttpResponse.json(
          { error: { code: 'unavailable', message: 'Not now.', request_id: 'r' } },
          { status: 422 },
        ),
      ),
    );
    await user.click(bar().getByRole('button', { name: 'Cancel 2' }));
    const dialog = await screen.findByRole('dialog', { name: 'Not all could be done' });
    expect(dialog).toHaveTextContent('It broke off: Not now.');
    expect(box(0)).toBeChecked();
    expect(box(1)).toBeChecked();
  });
});
