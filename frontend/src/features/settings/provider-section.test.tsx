import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { beforeEach, describe, expect, it } from 'vitest';

import { someOptions } from '@/testing/builders';
import { renderInApp } from '@/testing/render';
import { server } from '@/testing/server';

import { ProviderSection } from './provider-section';

const identity = {
  id: 'i1',
  issuer: 'https://login.example.org/realms/staff',
  email: 'grace@example.org',
  created_at: '2026-11-01T10:00:00Z',
};

const show = (
  items: object[],
  result?: string,
  oidc: { name: string } | null = { name: 'Example' },
) => {
  server.use(
    http.get('*/api/options', () => HttpResponse.json(someOptions({ oidc }))),
    http.get('*/api/auth/oidc/identities', () => HttpResponse.json({ items, next_cursor: null })),
  );
  return renderInApp(<ProviderSection result={result} />);
};

describe('ProviderSection', () => {
  let removed: string[];
  beforeEach(() => {
    removed = [];
    server.use(
      http.delete('*/api/auth/oidc/identities/:id', ({ params }) => {
        removed.push(String(params.id));
        return new HttpResponse(null, { status: 204 });
      }),
    );
  });

  it('offers to link, and says why it did not work', async () => {
    show([], 'identity_taken');
    expect(await screen.findByRole('button', { name: 'Link Example' })).toBeVisible();
    expect(screen.getByRole('alert')).toHaveTextContent('belongs to another account');
  });

  it('refuses a wrong password at its field', async () => {
    server.use(
      http.post('*/api/auth/oidc/link', () =>
        HttpResponse.json(
          {
            error: {
              code: 'wrong_password',
              message: 'The password is wrong.',
              field: 'password',
              request_id: 'r',
            },
          },
          { status: 403 },
        ),
      ),
    );
    show([]);
    const user = userEvent.setup();
    await user.click(await screen.findByRole('button', { name: 'Link Example' }));
    await user.type(await screen.findByLabelText('Password'), 'x');
    const buttons = screen.getAllByRole('button', { name: 'Link Example' });
    await user.click(buttons[buttons.length - 1] as HTMLElement);
    expect(await screen.findByText('The password is wrong.')).toBeVisible();
  });

  it('shows what is linked and removes it', async () => {
    show([identity], 'linked');
    expect(await screen.findByText('grace@example.org')).toBeVisible();
    expect(screen.getByRole('status')).toHaveTextContent('Your account is linked.');
    await userEvent.click(screen.getByRole('button', { name: 'Remove: grace@example.org' }));
    await waitFor(() => {
      expect(removed).toEqual(['i1']);
    });
  });

  it('is not there where there is nothing to show', async () => {
    show([], undefined, null);
    await waitFor(() => {
      expect(document.querySelector('[class*=Skeleton]')).toBeNull();
    });
    expect(screen.queryByRole('heading')).toBeNull();
  });

  it('still shows what is linked where the provider was taken away', async () => {
    show([{ ...identity, email: '' }], undefined, null);
    expect(await screen.findByText('login.example.org')).toBeVisible();
    expect(screen.queryByRole('button', { name: /Link/ })).toBeNull();
  });
});
