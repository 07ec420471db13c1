import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { describe, expect, it, vi } from 'vitest';

import { session } from '@/api/session';
import { PROBLEMS, readOidc } from '@/lib/oidc-result';
import { oidcProblem } from '@/lib/oidc-text';
import { aToken, someOptions } from '@/testing/builders';
import { renderInApp } from '@/testing/render';
import { server } from '@/testing/server';

import { ProviderButton } from './provider-button';
import { ProviderFactorForm } from './provider-factor-form';

describe('ProviderButton', () => {
  it('leads to the provider and back to where one was', async () => {
    server.use(
      http.get('*/api/options', () =>
        HttpResponse.json(someOptions({ oidc: { name: 'Example' } })),
      ),
    );
    renderInApp(<ProviderButton next="/t/1?t=5" />);
    const button = await screen.findByRole('link', { name: 'Continue with Example' });
    expect(button).toHaveAttribute('href', '/api/auth/oidc/start?next=%2Ft%2F1%3Ft%3D5');
  });
});

describe('ProviderFactorForm', () => {
  const show = async () => {
    const onDone = vi.fn();
    renderInApp(<ProviderFactorForm onDone={onDone} />);
    const user = userEvent.setup();
    await user.type(await screen.findByLabelText('Code'), '123456');
    return { onDone, click: () => user.click(screen.getByRole('button', { name: 'Sign in' })) };
  };

  it('signs in by the code', async () => {
    server.use(http.post('*/api/auth/oidc/factor', () => HttpResponse.json(aToken())));
    const { onDone, click } = await show();
    await click();
    await waitFor(() => {
      expect(onDone).toHaveBeenCalled();
    });
    expect(session.user?.email).toBe('ada@example.org');
  });

  it.each([
    ['totp_invalid', 'This code is wrong, or was used before.'],
    ['oidc_expired', 'That took too long. Start again.'],
  ])('tells %s', async (code, text) => {
    server.use(
      http.post('*/api/auth/oidc/factor', () =>
        HttpResponse.json({ error: { code, message: 'no', request_id: 'r' } }, { status: 401 }),
      ),
    );
    const { onDone, click } = await show();
    await click();
    expect(await screen.findByText(text)).toBeVisible();
    expect(onDone).not.toHaveBeenCalled();
  });
});

describe('what ?oidc= says', () => {
  it.each(PROBLEMS)('%s has a sentence', (problem) => {
    expect(readOidc(problem)).toBe(problem);
    expect(oidcProblem(problem)).toMatch(/\w{3}.*[.”]$/);
  });

  it('is nothing where anybody could have written it', () => {
    for (const value of ['<b>', 'toString', 7, undefined]) expect(readOidc(value)).toBeUndefined();
    for (const value of ['done', 'totp', 'linked', 'toString'])
      expect(oidcProblem(value)).toBeNull();
  });
});
