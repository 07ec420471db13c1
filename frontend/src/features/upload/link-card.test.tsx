import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { expect, it } from 'vitest';

import { session } from '@/api/session';
import { aToken, someOptions } from '@/testing/builders';
import { renderInApp } from '@/testing/render';
import { server } from '@/testing/server';

import { LinkCard } from './link-card';

it('says at the field what is wrong with a link, until it is changed', async () => {
  session.accept(aToken());
  const message = 'This is not a link: it should begin with https://.';
  server.use(
    http.post('*/api/jobs', () =>
      HttpResponse.json(
        { error: { code: 'url_not_allowed', message, field: 'url', request_id: 'r' } },
        { status: 422 },
      ),
    ),
  );
  renderInApp(<LinkCard options={someOptions()} />);
  const user = userEvent.setup();
  const field = await screen.findByRole('textbox', { name: 'Or paste a link to a recording' });
  await user.type(field, 'not a link');
  await user.click(screen.getByRole('button', { name: 'Fetch' }));
  expect(await screen.findByText(message)).toBeVisible();
  expect(field).toBeInvalid();
  expect(field).toHaveAccessibleDescription(message);
  await user.type(field, 's');
  expect(screen.queryByText(message)).toBeNull();
});
