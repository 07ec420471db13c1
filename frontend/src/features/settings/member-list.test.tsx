import { screen } from '@testing-library/react';
import { expect, it } from 'vitest';

import type { Member } from '@/api/types';
import { renderInApp } from '@/testing/render';

import { MemberList } from './member-list';

const member = (id: string, name: string | null): Member => ({
  user_id: id,
  name,
  email: `${id}@example.org`,
  role: 'member',
  joined_at: '2026-11-21T08:00:00Z',
});

it('shows the address once of who has no name', async () => {
  const items = [member('ada', 'Ada'), member('bob', null)];
  renderInApp(<MemberList workspaceId="ws-1" items={items} ownId="ada" ownRole="owner" />);
  expect(await screen.findByText(/^Ada/)).toBeVisible();
  expect(screen.getByText('ada@example.org')).toBeVisible();
  expect(screen.getAllByText(/bob@example.org/)).toHaveLength(1);
});
