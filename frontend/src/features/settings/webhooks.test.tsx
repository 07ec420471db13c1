import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { beforeEach, expect, it, vi } from 'vitest';

import { session } from '@/api/session';
import type { Delivery, Webhook } from '@/api/types';
import { aToken } from '@/testing/builders';
import { renderInApp } from '@/testing/render';
import { server } from '@/testing/server';

import { DeliveryLog } from './delivery-log';
import { NewWebhook } from './new-webhook';
import { WebhookCard } from './webhook-card';
import { WebhookList } from './webhook-list';

const NOW = '2026-11-28T10:00:00Z';

function aWebhook(change: Partial<Webhook> = {}): Webhook {
  return {
    id: 'w1',
    url: 'https://hooks.example.org/x',
    description: '',
    events: [],
    enabled: true,
    disabled_at: null,
    disabled_reason: null,
    failing_since: null,
    last_success_at: null,
    previous_secret_until: null,
    created_at: NOW,
    ...change,
  };
}

function aDelivery(change: Partial<Delivery> = {}): Delivery {
  return {
    id: 'd1',
    message_id: 'msg_1',
    type: 'job.completed',
    state: 'failed',
    attempts: 10,
    next_attempt_at: null,
    last_status: 500,
    last_error: 'answered 500',
    created_at: NOW,
    delivered_at: null,
    ...change,
  };
}

beforeEach(() => {
  session.accept(aToken());
});

it('adds a webhook for chosen events and shows its secret once', async () => {
  let sent: unknown;
  server.use(
    http.post('*/api/webhooks', async ({ request }) => {
      sent = await request.json();
      return HttpResponse.json({ ...aWebhook(), secret: 'whsec_abc' }, { status: 201 });
    }),
  );
  const done = vi.fn();
  renderInApp(<NewWebhook workspaceId="ws" onDone={done} />);
  const user = userEvent.setup();
  await user.click(await screen.findByRole('button', { name: 'Add' }));
  expect(screen.getByText('Enter the address.')).toBeVisible();
  await user.type(screen.getByLabelText(/^Address/), 'https://hooks.example.org/x');
  await user.click(screen.getByLabelText('Everything that happens'));
  for (const event of ['A transcription has failed', 'A transcription was cancelled']) {
    await user.click(screen.getByLabelText(event));
  }
  await user.click(screen.getByRole('button', { name: 'Add' }));
  expect(await screen.findByText('whsec_abc')).toBeVisible();
  expect(sent).toEqual({
    url: 'https://hooks.example.org/x',
    description: '',
    events: ['job.completed', 'transcript.updated'],
  });
  await user.click(screen.getByRole('button', { name: 'Done' }));
  expect(done).toHaveBeenCalled();
});

it('shows why an address is refused, at its field', async () => {
  server.use(
    http.post('*/api/webhooks', () =>
      HttpResponse.json(
        {
          error: {
            code: 'url_not_allowed',
            message: 'The link leads to an address that is not public.',
            field: 'url',
            request_id: 'r',
          },
        },
        { status: 422 },
      ),
    ),
  );
  renderInApp(<NewWebhook workspaceId="ws" onDone={vi.fn()} />);
  const user = userEvent.setup();
  await user.type(await screen.findByLabelText(/^Address/), 'http://10.0.0.1/');
  await user.click(screen.getByRole('button', { name: 'Add' }));
  expect(await screen.findByText(/not public/)).toBeVisible();
  expect(screen.getByLabelText(/^Address/)).toBeInvalid();
});

it('switches one that failed on again and sends what it missed', async () => {
  const asked: string[] = [];
  server.use(
    http.patch('*/api/webhooks/w1', async ({ request }) => {
      asked.push(JSON.stringify(await request.json()));
      return HttpResponse.json(aWebhook());
    }),
    http.post('*/api/webhooks/w1/recover', () => {
      asked.push('recover');
      return HttpResponse.json({ queued: 3 }, { status: 202 });
    }),
    http.get('*/api/webhooks*', () => HttpResponse.json({ items: [], next_cursor: null })),
  );
  const webhook = aWebhook({ enabled: false, disabled_at: NOW, disabled_reason: 'failing' });
  renderInApp(<WebhookCard workspaceId="ws" webhook={webhook} onDeleted={vi.fn()} />);
  expect(await screen.findByText('Switched off after days of failures')).toBeVisible();
  expect(screen.getByRole('button', { name: 'Send a test event' })).toBeDisabled();
  await userEvent.setup().click(screen.getByRole('button', { name: 'Switch on' }));
  expect(await screen.findByText('3 deliveries are on their way.')).toBeInTheDocument();
  expect(asked).toEqual(['{"enabled":true}', 'recover']);
});

it('opens a delivery to its attempts and sends it again', async () => {
  let replayed = 0;
  const detail = {
    ...aDelivery(),
    payload: { type: 'job.completed', data: { job_id: 'j1' } },
    log: [
      { number: 2, at: NOW, status: 500, error: null, response: 'Oops', duration_ms: 12 },
      {
        number: 1,
        at: NOW,
        status: null,
        error: 'the name was not found',
        response: '',
        duration_ms: 3,
      },
    ],
  };
  server.use(
    http.get('*/api/webhooks/w1/deliveries', () =>
      HttpResponse.json({ items: [aDelivery()], next_cursor: null }),
    ),
    http.get('*/api/webhooks/w1/deliveries/d1', () => HttpResponse.json(detail)),
    http.post('*/api/webhooks/w1/deliveries/d1/replay', () => {
      replayed += 1;
      return HttpResponse.json(aDelivery({ state: 'pending' }), { status: 202 });
    }),
  );
  renderInApp(<DeliveryLog workspaceId="ws" webhookId="w1" enabled />);
  const user = userEvent.setup();
  const line = await screen.findByRole('button', { name: /A transcript is done/ });
  expect(within(line).getByText(/10 attempts · answered 500/)).toBeVisible();
  await user.click(line);
  expect(line).toHaveAttribute('aria-expanded', 'true');
  expect(await screen.findByText('Oops')).toBeVisible();
  expect(screen.getByText(/the name was not found/)).toBeVisible();
  expect(screen.getByText(/"job_id": "j1"/)).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Send again' }));
  expect(await screen.findByText('It is on its way again.')).toBeInTheDocument();
  expect(replayed).toBe(1);
});

it('says so where nothing was sent', async () => {
  server.use(
    http.get('*/api/webhooks/w1/deliveries', () =>
      HttpResponse.json({ items: [], next_cursor: null }),
    ),
  );
  renderInApp(<DeliveryLog workspaceId="ws" webhookId="w1" enabled />);
  expect(await screen.findByText('Nothing here')).toBeVisible();
});

it('does not say that nothing was sent where what was sent has failed', async () => {
  renderInApp(<WebhookList items={[aWebhook({ failing_since: NOW })]} />);
  expect(await screen.findByText(/nothing has arrived yet/)).toBeVisible();
  expect(screen.queryByText(/nothing sent/)).toBeNull();
});
