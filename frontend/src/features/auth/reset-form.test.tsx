import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { expect, it, vi } from 'vitest';

import { renderInApp } from '@/testing/render';
import { server } from '@/testing/server';

import { ResetForm } from './reset-form';

async function submit(status: number, code: string, message: string) {
  server.use(
    http.post('*/api/auth/password/reset', () =>
      HttpResponse.json({ error: { code, message, request_id: 'r' } }, { status }),
    ),
  );
  const onDone = vi.fn();
  renderInApp(<ResetForm token="t" minLength={12} onDone={onDone} />);
  const user = userEvent.setup();
  await user.type(await screen.findByLabelText('New password'), 'a third passphrase');
  await user.click(screen.getByRole('button', { name: 'Save the new password' }));
  expect(await screen.findByRole('alert')).toBeVisible();
  expect(onDone).not.toHaveBeenCalled();
}

it('puts the way to a new link in place of the form where the link is used up', async () => {
  await submit(410, 'token_invalid', 'This link was used or has expired. Ask for a new one.');
  const again = screen.getByRole('link', { name: 'Ask for a new link' });
  expect(again).toHaveAttribute('href', '/forgot');
  expect(screen.queryByLabelText('New password')).toBeNull();
});

it('keeps the form where another try may help', async () => {
  await submit(503, 'unavailable', 'The database is away.');
  expect(screen.getByLabelText('New password')).toBeVisible();
  expect(screen.queryByRole('link')).toBeNull();
});
