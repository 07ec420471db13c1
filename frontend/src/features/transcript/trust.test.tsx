import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { resultQuery } from '@/api/jobs';
import { session } from '@/api/session';
import type { Job, TranscriptResult } from '@/api/types';
import { aJob, aResult, aSegment, aToken } from '@/testing/builders';
import { renderInApp } from '@/testing/render';
import { server } from '@/testing/server';
import { useQuery } from '@tanstack/react-query';

import { TranscriptView } from './transcript-view';

const GAPS = [
  { start_ms: 9000, end_ms: 12_000 },
  { start_ms: 40_000, end_ms: 46_000 },
];

function holed(): TranscriptResult {
  return aResult({
    speech_ms: 50_000,
    covered_ms: 41_000,
    gaps: GAPS,
    segments: [aSegment(0, 'Fine.'), aSegment(1, 'Again again.', { flags: ['loop'] })],
  });
}

const refusal = (status: number, code: string, message: string) =>
  HttpResponse.json({ error: { code, message, request_id: 'r' } }, { status });

beforeEach(() => {
  session.accept(aToken());
  server.use(
    http.get('*/api/files/:id/url', () =>
      HttpResponse.json({
        url: 'http://localhost/media/1',
        expires_at: '2030-01-01T00:00:00Z',
        content_type: 'audio/wav',
        rendition: 'none',
      }),
    ),
    http.get('*/api/files/:id/peaks', () => refusal(404, 'not_found', 'Nothing here.')),
  );
  // The window of jsdom has no size, and virtual rows need one.
  vi.spyOn(HTMLElement.prototype, 'offsetHeight', 'get').mockReturnValue(60);
});

/** The view over the cache, as the page has it, so that optimistic changes show. */
function Live({ job, onRunAgain }: { job: Job; onRunAgain: () => void }) {
  const result = useQuery({ ...resultQuery(job.id), enabled: false });
  return (
    <TranscriptView
      job={job}
      result={result.data}
      resultError={null}
      onReload={vi.fn()}
      startSeconds={undefined}
      languageName={() => 'English'}
      command="transcribe models download base-q8_0"
      menu={null}
      actions={null}
      onCancel={vi.fn()}
      onRetry={vi.fn()}
      onRunAgain={onRunAgain}
    />
  );
}

async function show(job: Job = aJob(), result: TranscriptResult = aResult()) {
  const onRunAgain = vi.fn();
  const view = renderInApp(<Live job={job} onRunAgain={onRunAgain} />);
  view.cache.setQueryData(resultQuery(job.id).queryKey, result);
  await screen.findAllByText(result.segments[0]?.text ?? 'No speech was found');
  const audio = await waitFor(() => {
    const found = document.querySelector('audio');
    expect(found).not.toBeNull();
    return found!;
  });
  Object.defineProperty(audio, 'duration', { value: 60, configurable: true });
  fireEvent.loadedMetadata(audio);
  return { ...view, onRunAgain, audio, user: userEvent.setup() };
}

describe('what needs attention', () => {
  it('lists gaps and doubts, and goes to them by click, button and key', async () => {
    const { user, audio } = await show(aJob(), holed());
    const panel = screen.getByRole('region', { name: 'Needs attention (3)' });
    expect(within(panel).getByText(/No text for 3 s/)).toBeVisible();
    expect(within(panel).getByText(/Repeats itself/)).toBeVisible();
    await user.click(within(panel).getByRole('button', { name: 'Play from 0:40' }));
    expect(audio.currentTime).toBe(40);
    await user.click(within(panel).getByRole('button', { name: 'Previous place to check' }));
    expect(audio.currentTime).toBe(9);
    await user.keyboard('{Alt>}p{/Alt}');
    expect(audio.currentTime).toBe(5);
    await user.click(document.body);
    await user.keyboard('nnn');
    expect(audio.currentTime).toBe(40);
    expect(await screen.findByText('No further place to check.')).toBeVisible();
  });

  it('listens again to one gap, or to all', async () => {
    const sent: unknown[] = [];
    server.use(
      http.post('*/api/jobs/job-1/gaps/retry', async ({ request }) => {
        sent.push(await request.json());
        return HttpResponse.json(aJob());
      }),
    );
    const { user } = await show(aJob(), holed());
    await user.click(
      screen.getByRole('button', { name: 'Listen again to this gap, 0:09 to 0:12' }),
    );
    await user.click(await screen.findByRole('button', { name: 'Listen again to all gaps' }));
    await waitFor(() => {
      expect(sent).toEqual([{ start_ms: 9000, end_ms: 12_000 }, {}]);
    });
  });

  it('says why a gap cannot be listened to', async () => {
    server.use(
      http.post('*/api/jobs/job-1/gaps/retry', () =>
        refusal(409, 'invalid_state', 'There is no such gap.'),
      ),
    );
    const { user } = await show(aJob(), holed());
    await user.click(screen.getByRole('button', { name: /^Listen again to all/ }));
    expect(await screen.findByText('There is no such gap.')).toBeVisible();
  });

  it('keeps the text in sight and takes no further order while it listens', async () => {
    const job = aJob({
      status: 'processing',
      stage: 'transcribing',
      windows: { planned: 4, committed: 3, executed: 4 },
    });
    await show(job, { ...holed(), complete: false, previous: true });
    expect(screen.getByText('Fine.')).toBeVisible();
    expect(screen.getByText(/The gaps are being listened to again/)).toBeVisible();
    expect(screen.queryByRole('button', { name: /^Listen again/ })).toBeNull();
  });

  it('keeps the page small with a thousand doubts', async () => {
    const segments = Array.from({ length: 1000 }, (_, at) =>
      aSegment(at, `Line ${String(at)}`, { flags: ['low_confidence'] }),
    );
    const { user } = await show(aJob(), aResult({ segments }));
    const panel = screen.getByRole('region', { name: 'Needs attention (1000)' });
    expect(within(panel).getAllByRole('listitem')).toHaveLength(3);
    await user.click(within(panel).getByRole('button', { name: 'Show 97 more' }));
    expect(within(panel).getAllByRole('listitem')).toHaveLength(100);
  });

  it('explains a flag at its passage', async () => {
    const { user } = await show(aJob(), holed());
    const flag = screen.getByRole('button', { name: 'Check: Repeats itself' });
    expect(flag).toHaveAttribute('aria-expanded', 'false');
    await user.click(flag);
    const hint = document.getElementById(flag.getAttribute('aria-controls') ?? '');
    expect(hint).toBeVisible();
    expect(hint).toHaveTextContent('said only once');
  });
});

describe('how much has text', () => {
  it('says so where all of it has', async () => {
    await show();
    expect(screen.getByText('All 0:50 of speech has text')).toBeVisible();
  });

  it('counts what is missing', async () => {
    await show(aJob(), holed());
    expect(screen.getByText('0:41 of 0:50 of speech has text, 2 gaps')).toBeVisible();
  });

  it('says nothing while the job runs', async () => {
    await show(aJob({ status: 'processing' }), aResult({ complete: false }));
    expect(screen.queryByText(/of speech has text/)).toBeNull();
  });
});

it('marks gaps for those who do not see the strip', async () => {
  const { user } = await show(aJob(), holed());
  const slider = await screen.findByRole('slider', { name: 'Position' });
  expect(slider).toHaveAttribute('aria-valuetext', '0:00 of 1:00');
  await user.click(screen.getByRole('button', { name: 'Play from 0:40' }));
  expect(slider).toHaveAttribute('aria-valuetext', '0:40 of 1:00, No text for 6 s');
});

describe('how the text was made', () => {
  it('tells engine, choices, time and reasons, and offers another', async () => {
    const job = aJob({
      translate: true,
      vocabulary: ['Ada', 'Grace'],
      prompt: 'Dear all,',
      vad: 'off',
      engine_reasons: ['The best that is here. See `transcribe doctor`.'],
    });
    const { user, onRunAgain } = await show(job);
    expect(screen.getByText('translated to English')).toBeVisible();
    expect(screen.getByText('2 terms given')).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'How this text was made' }));
    const details = await screen.findByRole('dialog', { name: 'How this text was made' });
    for (const text of ['base-q8_0', 'Ada, Grace', 'Dear all,', 'off']) {
      expect(within(details).getByText(text)).toBeInTheDocument();
    }
    expect(within(details).getByText('30 s (2× the speed of speech)')).toBeInTheDocument();
    expect(within(details).getByText('transcribe doctor').tagName).toBe('CODE');
    await user.click(within(details).getByRole('button', { name: /Again with another/ }));
    expect(onRunAgain).toHaveBeenCalled();
  });

  it('says whose text a cached one is', async () => {
    server.use(
      http.get('*/api/jobs/job-0', () =>
        HttpResponse.json(aJob({ id: 'job-0', filename: 'first.wav' })),
      ),
    );
    const { user, onRunAgain } = await show(aJob({ cached_from: 'job-0' }));
    expect(await screen.findByRole('link', { name: '“first.wav”' })).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Listen anew' }));
    expect(onRunAgain).toHaveBeenCalled();
  });
});

describe('warnings', () => {
  it('offer what can be done', async () => {
    const warnings = [
      { code: 'gaps', message: 'Two passages have no text.' },
      { code: 'no_speakers', message: 'Nobody was told apart.' },
    ];
    const { user, onRunAgain } = await show(aJob({ warnings }), { ...holed(), warnings });
    const notice = screen.getByRole('alert', { name: 'Please note' });
    expect(within(notice).getByRole('button', { name: /Listen again to all/ })).toBeVisible();
    await user.click(within(notice).getByRole('button', { name: 'Run again with…' }));
    expect(onRunAgain).toHaveBeenCalled();
  });
});
