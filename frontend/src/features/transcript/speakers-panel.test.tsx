import { useQuery } from '@tanstack/react-query';
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { beforeEach, describe, expect, it } from 'vitest';

import { resultQuery } from '@/api/jobs';
import { session } from '@/api/session';
import type { Job, TranscriptResult } from '@/api/types';
import { aJob, aResult, aSegment, aToken, someOptions } from '@/testing/builders';
import { renderInApp } from '@/testing/render';
import { server } from '@/testing/server';

import { labelsOf, startsTurn } from './speakers';
import { SpeakersPanel } from './speakers-panel';

const LEFT = { id: 'left', label: 'Left', name: 'Left' };
const RIGHT = { id: 'right', label: 'Right', name: 'Right' };

const offer = (local_speakers: boolean) => {
  server.use(http.get('*/api/options', () => HttpResponse.json(someOptions({ local_speakers }))));
};

beforeEach(() => {
  session.accept(aToken());
  offer(true);
});

function Live({ job }: { job: Job }) {
  const result = useQuery({ ...resultQuery(job.id), enabled: false });
  return <SpeakersPanel job={job} result={result.data} />;
}

function show(change: Partial<Job>, result: TranscriptResult = aResult()) {
  const job = aJob({ mode: 'dialogue', speaker_state: 'done', ...change });
  const view = renderInApp(<Live job={job} />);
  view.cache.setQueryData(resultQuery(job.id).queryKey, result);
  return { ...view, user: userEvent.setup() };
}

const named = () => aResult({ speakers: [LEFT, RIGHT] });
const refuse = (message: string) =>
  HttpResponse.json(
    { error: { code: 'invalid_state', message, request_id: 'r' } },
    { status: 409 },
  );

async function rename(user: ReturnType<typeof userEvent.setup>, name: string) {
  await user.click(await screen.findByRole('button', { name: 'Rename Left' }));
  const dialog = await screen.findByRole('dialog', { name: 'Rename Left' });
  await user.type(within(dialog).getByLabelText('Name'), name);
  await user.click(within(dialog).getByRole('button', { name: 'Save' }));
}

describe('names of speakers', () => {
  it('show at once, before the server has answered', async () => {
    let answer: () => void = () => undefined;
    let sent: unknown;
    server.use(
      http.patch('*/api/jobs/job-1/speakers/left', async ({ request }) => {
        sent = await request.json();
        await new Promise<void>((resolve) => {
          answer = resolve;
        });
        return HttpResponse.json({ ...LEFT, name: 'Ada' });
      }),
    );
    const { user } = show({}, named());
    await rename(user, 'Ada ');
    expect(await screen.findByText('Ada')).toBeVisible();
    await waitFor(() => {
      expect(sent).toEqual({ name: 'Ada' });
    });
    answer();
    expect(await screen.findByRole('button', { name: 'Rename Ada' })).toBeVisible();
  });

  it('come back where the server refuses', async () => {
    server.use(http.patch('*/api/jobs/job-1/speakers/left', () => refuse('Use another name.')));
    const { user } = show({}, named());
    await rename(user, 'Ada');
    expect(await screen.findByText('Use another name.')).toBeVisible();
    expect(screen.getByText('Left')).toBeVisible();
    expect(screen.queryByText('Ada')).toBeNull();
  });
});

describe('the state of telling speakers apart', () => {
  it.each([
    [{ speaker_state: 'pending' }, 'The speakers are being told apart. The text is already whole.'],
    [{ speaker_state: 'unavailable', speaker_reason: 'No model of voices.' }, /No model of voices/],
    [{ speaker_state: 'failed', speaker_reason: 'It broke.' }, /It broke/],
    [{ speaker_state: 'done' }, 'No speakers were told apart.'],
  ] as const)('%j', async (change, text) => {
    show(change);
    expect(await screen.findByText(text)).toBeVisible();
  });

  it('leads an administrator to the models where this server cannot do it', async () => {
    offer(false);
    show({ speaker_state: 'unavailable', speaker_reason: 'No model of voices.' });
    expect(await screen.findByRole('link', { name: /models of this server/ })).toHaveAttribute(
      'href',
      '/admin/models',
    );
    expect(screen.queryByRole('button', { name: /apart again/ })).toBeNull();
  });

  it('is not told before the text is whole', async () => {
    const running = { status: 'processing', speaker_state: 'pending' } as const;
    const { unmount } = show({ ...running, stage: 'diarizing' });
    expect(await screen.findByText(/being told apart/)).toBeVisible();
    unmount();
    show({ ...running, stage: 'transcribing' }, named());
    expect(await screen.findByText('Left')).toBeVisible();
    expect(screen.queryByText(/being told apart/)).toBeNull();
    expect(screen.getByRole('button', { name: 'Rename Left' })).toBeDisabled();
  });

  it('is told of a job that waits to tell them apart again', async () => {
    show({
      status: 'pending',
      speaker_state: 'pending',
      windows: { planned: 3, committed: 3, executed: 3 },
    });
    expect(await screen.findByText(/being told apart/)).toBeVisible();
  });

  it('leaves voices on channels of their own as they are', async () => {
    show({}, named());
    expect(await screen.findByText('Left')).toBeVisible();
    expect(screen.queryByRole('button', { name: 'Tell speakers apart again' })).toBeNull();
  });

  it('is not offered again where nobody spoke', async () => {
    show({}, aResult({ segments: [], text: '' }));
    expect(await screen.findByText('No speakers were told apart.')).toBeVisible();
    expect(screen.queryByRole('button', { name: 'Tell speakers apart again' })).toBeNull();
  });

  it('is not offered again where a provider named them', async () => {
    show({}, aResult({ speakers: [{ id: 'A', label: 'Speaker 1', name: 'Speaker 1' }] }));
    expect(await screen.findByText('Speaker 1')).toBeVisible();
    expect(screen.queryByRole('button', { name: 'Tell speakers apart again' })).toBeNull();
  });

  it('is offered again where the server told voices apart', async () => {
    show({}, aResult({ speakers: [{ id: 'S1', label: 'Speaker 1', name: 'Speaker 1' }] }));
    expect(await screen.findByRole('button', { name: 'Tell speakers apart again' })).toBeVisible();
  });

  it('is not mentioned where nobody asked', async () => {
    show({ mode: 'mono', speaker_state: 'none' });
    await waitFor(() => {
      expect(screen.queryByRole('region', { name: 'Speakers' })).toBeNull();
    });
  });

  it('can be tried again with a number', async () => {
    let sent: unknown;
    server.use(
      http.post('*/api/jobs/job-1/speakers/retry', async ({ request }) => {
        sent = await request.json();
        return HttpResponse.json(aJob({ mode: 'dialogue', speaker_state: 'pending' }));
      }),
      http.get('*/api/jobs/job-1/result', () => HttpResponse.json(aResult())),
    );
    const { user } = show({ speaker_state: 'failed', speaker_reason: 'It broke.' });
    await user.click(await screen.findByRole('button', { name: 'Try again' }));
    await user.click(await screen.findByRole('combobox', { name: 'How many speak' }));
    await user.click(await screen.findByRole('option', { name: '3' }));
    await user.click(screen.getByRole('button', { name: 'Tell apart' }));
    await waitFor(() => {
      expect(sent).toEqual({ speakers: 3, max_speakers: null });
    });
  });
});

describe('labels in the text', () => {
  const segments = ['left', 'left', 'right', null, 'right'].map((speaker, index) =>
    aSegment(index, 'x', { speaker }),
  );

  it('stand at the first segment of each turn', () => {
    const starts = segments.map((_, index) => startsTurn(segments, index));
    expect(starts).toEqual([true, false, true, false, true]);
  });

  it('have a colour each, also for ids that the list does not know yet', () => {
    const labels = labelsOf([LEFT], segments);
    expect([...labels.values()].map(({ speaker }) => speaker.name)).toEqual(['Left', 'right']);
    expect(new Set([...labels.values()].map(({ colour }) => colour)).size).toBe(2);
  });
});
