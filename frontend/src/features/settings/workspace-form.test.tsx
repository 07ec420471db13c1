import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { beforeEach, expect, it } from 'vitest';

import { session } from '@/api/session';
import { aToken } from '@/testing/builders';
import { renderInApp } from '@/testing/render';
import { server } from '@/testing/server';

import { WorkspaceForm } from './workspace-form';

const SETTINGS = {
  allow_cloud: true,
  vocabulary: ['Ada'],
  prompt: '',
  language: 'auto',
  mode: 'mono' as const,
  media_days: null,
  transcript_days: null,
};

beforeEach(() => {
  session.accept(aToken());
});

async function show(readOnly = false) {
  renderInApp(
    <WorkspaceForm workspaceId="ws-1" settings={SETTINGS} languages={[]} readOnly={readOnly} />,
  );
  await screen.findByRole('heading', { name: 'For every recording' });
  return userEvent.setup();
}

it('saves only what was changed', async () => {
  let sent: unknown;
  server.use(
    http.patch('*/api/workspaces/ws-1/settings', async ({ request }) => {
      sent = await request.json();
      return HttpResponse.json({ ...SETTINGS, allow_cloud: false });
    }),
  );
  const user = await show();
  expect(screen.getByRole('button', { name: 'Save' })).toBeDisabled();
  await user.click(screen.getByRole('switch', { name: /Keep recordings on this server/ }));
  await user.click(screen.getByRole('combobox', { name: 'Names and terms' }));
  await user.paste('Grace\nLinus');
  await user.click(screen.getByRole('button', { name: 'Save' }));
  await waitFor(() => {
    expect(sent).toEqual({ allow_cloud: false, vocabulary: ['Ada', 'Grace', 'Linus'] });
  });
  expect(await screen.findByText(/New transcripts use it/)).toBeVisible();
});

it('shows a refusal at its field, without backticks', async () => {
  server.use(
    http.patch('*/api/workspaces/ws-1/settings', () =>
      HttpResponse.json(
        {
          error: {
            code: 'validation_error',
            field: 'body.prompt',
            message: 'Leave `<|notes|>` out.',
            request_id: 'r',
          },
        },
        { status: 422 },
      ),
    ),
  );
  const user = await show();
  await user.type(screen.getByRole('textbox', { name: 'Style example' }), 'x');
  await user.click(screen.getByRole('button', { name: 'Save' }));
  expect((await screen.findByText('<|notes|>')).tagName).toBe('CODE');
  expect(screen.getByRole('textbox', { name: 'Style example' })).toBeInvalid();
});

it('is only to be read by those who may not change it', async () => {
  await show(true);
  expect(screen.getByText(/Only owners and administrators/)).toBeVisible();
  expect(screen.queryByRole('button', { name: 'Save' })).toBeNull();
  expect(screen.getByRole('switch')).toBeDisabled();
});
