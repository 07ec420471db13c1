import { screen, within } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { beforeEach, expect, it } from 'vitest';

import { session } from '@/api/session';
import type { AuditEntry } from '@/api/types';
import { aToken } from '@/testing/builders';
import { renderInApp } from '@/testing/render';
import { server } from '@/testing/server';

import { ActivityList } from './activity-list';

const entry = (id: string, action: string, change: Partial<AuditEntry> = {}): AuditEntry => ({
  id,
  action,
  user: { id: 'user-1', email: 'ada@example.org' },
  api_key_id: null,
  target_type: 'job',
  target_id: 'job-1',
  target_name: null,
  address: '127.0.0.1',
  created_at: '2026-11-21T08:00:00Z',
  detail: {},
  ...change,
});

beforeEach(() => {
  session.accept(aToken());
});

async function show(...items: AuditEntry[]) {
  server.use(
    http.get('*/api/workspaces/ws-1/audit', () => HttpResponse.json({ items, next_cursor: null })),
  );
  renderInApp(<ActivityList workspaceId="ws-1" />);
  return (await screen.findAllByRole('listitem')).map((item) => within(item));
}

it('names the recording and leads to its transcript, from an entry about a link too', async () => {
  const [read, link] = await show(
    entry('1', 'transcript.read', { target_name: 'meeting.m4a' }),
    entry('2', 'share_link.created', {
      target_type: 'share_link',
      target_id: 'link-1',
      target_name: 'meeting.m4a',
      detail: { job_id: 'job-1' },
    }),
  );
  for (const item of [read!, link!]) {
    expect(item.getByText('meeting.m4a')).toBeVisible();
    const open = item.getByRole('link', { name: 'Open the transcript of meeting.m4a' });
    expect(open).toHaveAttribute('href', '/t/job-1');
  }
});

it('does not lead to what is deleted, nor from a file', async () => {
  const items = await show(
    entry('1', 'job.deleted'),
    entry('2', 'transcript.read'),
    entry('3', 'file.played', { target_type: 'file', target_name: 'meeting.m4a' }),
  );
  expect(items[0]!.getByText('Deleted a transcript')).toBeVisible();
  for (const item of items) expect(item.queryByRole('link')).toBeNull();
});
