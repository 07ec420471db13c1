import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { expect, it, vi } from 'vitest';

import { session } from '@/api/session';
import * as download from '@/lib/download';
import { aToken } from '@/testing/builders';
import { renderInApp } from '@/testing/render';
import { server } from '@/testing/server';

import { FactorSetup } from './factor-setup';

it('gives the key in full, to copy, and as a link that an app on this device opens', async () => {
  session.accept(aToken());
  const secret = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const url = `otpauth://totp/Transcribe:ada?secret=${secret}`;
  server.use(
    http.post('*/api/auth/totp/setup', () => HttpResponse.json({ secret, otpauth_url: url })),
  );
  const copy = vi.spyOn(download, 'copyText').mockResolvedValue(true);
  renderInApp(<FactorSetup onDone={() => undefined} />);
  const user = userEvent.setup();
  await user.type(await screen.findByLabelText('Password'), 'correct horse');
  await user.click(screen.getByRole('button', { name: 'Next' }));
  const link = await screen.findByRole('link', { name: 'Open in an authenticator app' });
  expect(link).toHaveAttribute('href', url);
  expect(screen.getByLabelText('Key')).toHaveValue(secret);
  await user.click(screen.getByRole('button', { name: 'Copy the key' }));
  expect(copy).toHaveBeenCalledWith(secret);
  expect(await screen.findByRole('button', { name: 'Copied' })).toBeVisible();
});
