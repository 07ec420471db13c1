import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { beforeEach, expect, it, vi } from 'vitest';

import { session } from '@/api/session';
import { aJob, aToken, someOptions } from '@/testing/builders';
import { renderInApp } from '@/testing/render';
import { server } from '@/testing/server';

import { RerunForm } from './rerun-dialog';

beforeEach(() => {
  session.accept(aToken());
  server.use(http.get('*/api/options', () => HttpResponse.json(someOptions())));
});

function show(job = aJob({ transcript_id: 't-1', vocabulary: ['Ada'] })) {
  const onDone = vi.fn();
  const onMade = vi.fn();
  renderInApp(<RerunForm job={job} onDone={onDone} onMade={onMade} />);
  return { user: userEvent.setup(), onDone, onMade };
}

it('runs the same job with another engine', async () => {
  let sent: unknown;
  server.use(
    http.post('*/api/jobs/job-1/retry', async ({ request }) => {
      sent = await request.json();
      return HttpResponse.json(aJob({ status: 'pending' }));
    }),
  );
  const { user, onDone } = show();
  await user.click(await screen.findByRole('combobox', { name: 'Engine and model' }));
  await user.click(await screen.findByRole('option', { name: /PocketSphinx/ }));
  await user.click(screen.getByRole('button', { name: 'Run again' }));
  await waitFor(() => {
    expect(onDone).toHaveBeenCalled();
  });
  expect(sent).toEqual({ engine: 'pocketsphinx' });
});

it('makes a further transcript with other options, starting from those of the job', async () => {
  let sent: unknown;
  server.use(
    http.post('*/api/jobs', async ({ request }) => {
      sent = await request.json();
      return HttpResponse.json(aJob({ id: 'job-2', status: 'pending' }), { status: 201 });
    }),
  );
  const { user, onMade } = show();
  await user.click(await screen.findByRole('button', { name: /Change other options/ }));
  await user.click(await screen.findByRole('button', { name: 'More options (1 set)' }));
  await user.click(await screen.findByRole('switch', { name: /Translate to English/ }));
  await user.click(screen.getByRole('button', { name: 'Make transcript' }));
  await waitFor(() => {
    expect(onMade).toHaveBeenCalledWith('job-2');
  });
  expect(sent).toEqual({
    file_id: 'file-1',
    fresh: true,
    language: 'auto',
    mode: 'mono',
    vad: 'auto',
    translate: true,
    vocabulary: ['Ada'],
  });
});

it('shows a refused engine at its field', async () => {
  server.use(
    http.post('*/api/jobs/job-1/retry', () =>
      HttpResponse.json(
        {
          error: {
            code: 'validation_error',
            field: 'body.engine',
            message: 'Not here. Run `transcribe doctor`.',
            request_id: 'r',
          },
        },
        { status: 422 },
      ),
    ),
  );
  const { user, onDone } = show();
  await user.click(await screen.findByRole('button', { name: 'Run again' }));
  expect((await screen.findByText('transcribe doctor')).tagName).toBe('CODE');
  expect(screen.getByRole('combobox', { name: 'Engine and model' })).toBeInvalid();
  expect(onDone).not.toHaveBeenCalled();
});
