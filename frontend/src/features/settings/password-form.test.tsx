import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { beforeEach, expect, it } from 'vitest';

import { session } from '@/api/session';
import { aToken, someOptions } from '@/testing/builders';
import { renderInApp } from '@/testing/render';
import { server } from '@/testing/server';

import { PasswordForm } from './password-form';

beforeEach(() => {
  session.accept(aToken());
  server.use(http.get('*/api/options', () => HttpResponse.json(someOptions())));
});

async function fill(current: string, next: string, repeat = next) {
  renderInApp(<PasswordForm email="ada@example.org" />);
  const user = userEvent.setup();
  await user.type(await screen.findByLabelText('Current password'), current);
  await user.type(screen.getByLabelText('New password'), next);
  await user.type(screen.getByLabelText('New password again'), repeat);
  await user.click(screen.getByRole('button', { name: 'Change password' }));
}

it('changes the password and clears the fields', async () => {
  let sent: unknown;
  server.use(
    http.post('*/api/auth/password', async ({ request }) => {
      sent = await request.json();
      return new HttpResponse(null, { status: 204 });
    }),
  );
  await fill('old password', 'new long password');
  expect(await screen.findByText(/Password changed/)).toBeInTheDocument();
  expect(sent).toEqual({ current_password: 'old password', new_password: 'new long password' });
  expect(screen.getByLabelText('Current password')).toHaveValue('');
});

it('shows a wrong current password at its field', async () => {
  server.use(
    http.post('*/api/auth/password', () =>
      HttpResponse.json(
        { error: { code: 'wrong_password', message: 'Wrong.', request_id: 'r' } },
        { status: 403 },
      ),
    ),
  );
  await fill('guess', 'new long password');
  expect(await screen.findByText('The current password is wrong.')).toBeVisible();
  expect(screen.getByLabelText('Current password')).toBeInvalid();
});

it.each([
  ['old', 'new long password', 'another', 'The two new passwords differ.'],
  ['same long password', 'same long password', undefined, /same as the current/],
  ['old', 'short', undefined, /at least 12 characters/],
])('checks before it sends (%#)', async (current, next, repeat, text) => {
  await fill(current, next, repeat);
  expect(await screen.findByText(text, { selector: '[class*=error]' })).toBeVisible();
});
