import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { session } from '@/api/session';
import { aToken, someOptions } from '@/testing/builders';
import { renderInApp } from '@/testing/render';
import { server } from '@/testing/server';

import { LoginForm } from './login-form';
import { RegisterForm } from './register-form';

const refuse = (status: number, code: string, message: string, field?: string) =>
  HttpResponse.json({ error: { code, message, field, request_id: 'req-1' } }, { status });

beforeEach(() => {
  server.use(http.get('*/api/options', () => HttpResponse.json(someOptions())));
});

describe('LoginForm', () => {
  const show = async () => {
    const onDone = vi.fn();
    renderInApp(<LoginForm onDone={onDone} registerHref="/register" />);
    const user = userEvent.setup();
    const email = await screen.findByLabelText('E-mail address');
    return { onDone, user, email, password: screen.getByLabelText('Password') };
  };

  it('signs in', async () => {
    let sent: unknown;
    server.use(
      http.post('*/api/auth/login', async ({ request }) => {
        sent = await request.json();
        return HttpResponse.json(aToken());
      }),
    );
    const { onDone, user, email, password } = await show();
    await user.type(email, ' ada@example.org ');
    await user.type(password, 'correct horse');
    await user.click(screen.getByRole('button', { name: 'Sign in' }));
    await waitFor(() => {
      expect(onDone).toHaveBeenCalled();
    });
    expect(sent).toEqual({ email: 'ada@example.org', password: 'correct horse' });
    expect(session.user?.email).toBe('ada@example.org');
  });

  it('says what is missing before it sends', async () => {
    const { user } = await show();
    await user.click(screen.getByRole('button', { name: 'Sign in' }));
    expect(await screen.findByText('Enter your e-mail address.')).toBeVisible();
    expect(screen.getByText('Enter your password.')).toBeVisible();
  });

  it.each([
    [refuse(401, 'unauthenticated', 'no'), 'The e-mail address or the password is wrong.'],
    [refuse(429, 'rate_limited', 'slow down'), /Too many tries/],
    [refuse(503, 'unavailable', 'The database is away.'), 'The database is away.'],
    [HttpResponse.error(), /could not be reached/],
  ])('tells why it failed (%#)', async (answer, text) => {
    server.use(http.post('*/api/auth/login', () => answer));
    const { onDone, user, email, password } = await show();
    await user.type(email, 'ada@example.org');
    await user.type(password, 'x');
    await user.click(screen.getByRole('button', { name: 'Sign in' }));
    expect(await screen.findByRole('alert')).toHaveTextContent(text);
    expect(onDone).not.toHaveBeenCalled();
  });
});

describe('RegisterForm', () => {
  const show = async (options = someOptions()) => {
    const onDone = vi.fn();
    renderInApp(<RegisterForm options={options} onDone={onDone} />);
    const user = userEvent.setup();
    await user.type(await screen.findByLabelText('E-mail address'), 'ada@example.org');
    const submit = () => user.click(screen.getByRole('button', { name: 'Create account' }));
    return { onDone, user, submit };
  };

  it('counts what the password lacks', async () => {
    const { user, submit } = await show();
    await user.type(screen.getByLabelText('Password'), 'short');
    await submit();
    expect(await screen.findByText('Use at least 12 characters (7 more).')).toBeVisible();
  });

  it('asks for the setup token only where it is needed', async () => {
    await show();
    expect(screen.queryByLabelText('Setup token')).toBeNull();
  });

  it('sends the setup token', async () => {
    let sent: unknown;
    server.use(
      http.post('*/api/auth/register', async ({ request }) => {
        sent = await request.json();
        return HttpResponse.json(aToken(), { status: 201 });
      }),
    );
    const { onDone, user, submit } = await show(someOptions({ setup_token_required: true }));
    await user.type(screen.getByLabelText('Password'), 'a long enough one');
    await submit();
    expect(await screen.findByText('Enter the setup token.')).toBeVisible();
    await user.type(screen.getByLabelText('Setup token'), 'abc-123');
    await submit();
    await waitFor(() => {
      expect(onDone).toHaveBeenCalled();
    });
    expect(sent).toEqual({
      email: 'ada@example.org',
      password: 'a long enough one',
      setup_token: 'abc-123',
    });
  });

  it.each([
    [refuse(409, 'conflict', 'Known.'), /already an account/],
    [refuse(422, 'validation_error', 'Too common.', 'body.password'), 'Too common.'],
    [refuse(403, 'forbidden', 'The setup token is wrong.'), 'The setup token is wrong.'],
  ])('shows the refusal where it belongs (%#)', async (answer, text) => {
    server.use(http.post('*/api/auth/register', () => answer));
    const { user, submit } = await show();
    await user.type(screen.getByLabelText('Password'), 'a long enough one');
    await submit();
    expect(await screen.findByText(text)).toBeVisible();
  });
});
