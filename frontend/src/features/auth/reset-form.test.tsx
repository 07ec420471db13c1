import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { expect, it, vi } from 'vitest';

import { renderInApp } from '@/testing/render';
import { server } from '@/testing/server';

import { ResetForm } from './reset-form';

const USED = 'This link was used or has expired. Ask for a new one.';

function refusal(status: number, code: string, message: string) {
  return HttpResponse.json({ error: { code, message, request_id: 'r' } }, { status });
}

/** Answers to questions about the link, one after the other; the last one stays. */
function linkIs(...statuses: (204 | 410 | 503)[]) {
  let asked = 0;
  server.use(
    http.post('*/api/auth/password/reset/check', () => {
      const status = statuses[Math.min(asked++, statuses.length - 1)];
      if (status === 204) return new HttpResponse(null, { status });
      return status === 410
        ? refusal(410, 'token_invalid', USED)
        : refusal(503, 'unavailable', 'The database is away.');
    }),
  );
}

function show() {
  const onDone = vi.fn();
  renderInApp(<ResetForm token="t" minLength={12} onDone={onDone} />);
  return onDone;
}

async function submit(status: number, code: string, message: string) {
  server.use(http.post('*/api/auth/password/reset', () => refusal(status, code, message)));
  const onDone = show();
  const user = userEvent.setup();
  await user.type(await screen.findByLabelText('New password'), 'a third passphrase');
  await user.click(screen.getByRole('button', { name: 'Save the new password' }));
  expect(await screen.findByRole('alert')).toBeVisible();
  expect(onDone).not.toHaveBeenCalled();
}

it('asks for no password where the link was used up before', async () => {
  linkIs(410);
  show();
  const again = await screen.findByRole('link', { name: 'Ask for a new link' });
  expect(again).toHaveAttribute('href', '/forgot');
  expect(screen.getByRole('alert')).toHaveTextContent(USED);
  expect(screen.queryByLabelText('New password')).toBeNull();
});

it('puts the way to a new link in place of the form where the link is used up meanwhile', async () => {
  linkIs(204, 410);
  await submit(410, 'token_invalid', USED);
  const again = await screen.findByRole('link', { name: 'Ask for a new link' });
  expect(again).toHaveAttribute('href', '/forgot');
  expect(screen.queryByLabelText('New password')).toBeNull();
});

it('keeps the form where another try may help', async () => {
  linkIs(204);
  await submit(503, 'unavailable', 'The database is away.');
  expect(screen.getByLabelText('New password')).toBeVisible();
  expect(screen.queryByRole('link')).toBeNull();
});
