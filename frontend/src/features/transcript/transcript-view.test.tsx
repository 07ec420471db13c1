import { fireEvent, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { session } from '@/api/session';
import * as files from '@/lib/download';
import { aJob, aResult, aSegment, aToken } from '@/testing/builders';
import { renderInApp } from '@/testing/render';
import { server } from '@/testing/server';

import { TranscriptView, type TranscriptViewProps } from './transcript-view';

let mediaCalls = 0;

function serveMedia(rendition = 'none') {
  server.use(
    http.get('*/api/files/:id/url', () => {
      mediaCalls += 1;
      return HttpResponse.json({
        url: `http://localhost/media/${String(mediaCalls)}`,
        expires_at: '2030-01-01T00:00:00Z',
        content_type: 'audio/wav',
        rendition,
      });
    }),
  );
}

const notFound = () =>
  HttpResponse.json(
    { error: { code: 'not_found', message: 'Nothing here.', request_id: 'r' } },
    { status: 404 },
  );

beforeEach(() => {
  mediaCalls = 0;
  session.accept(aToken());
  serveMedia();
  server.use(http.get('*/api/files/:id/peaks', () => notFound()));
  // The window of jsdom has no size, and virtual rows need one.
  vi.spyOn(HTMLElement.prototype, 'offsetHeight', 'get').mockReturnValue(60);
});

function show(change: Partial<TranscriptViewProps> = {}) {
  const props: TranscriptViewProps = {
    job: aJob(),
    result: aResult(),
    resultError: null,
    onReload: vi.fn(),
    startSeconds: undefined,
    languageName: () => 'English',
    command: 'transcribe models download base-q8_0',
    menu: null,
    actions: null,
    onCancel: vi.fn(),
    onRetry: vi.fn(),
    onRunAgain: vi.fn(),
    ...change,
  };
  const view = renderInApp(<TranscriptView {...props} />);
  return { ...view, props, user: userEvent.setup() };
}

const media = () => waitFor(() => document.querySelector('audio')!);

async function readyMedia(durationSeconds = 60) {
  const element = await waitFor(() => {
    const found = document.querySelector('audio');
    expect(found).not.toBeNull();
    return found!;
  });
  Object.defineProperty(element, 'duration', { value: durationSeconds, configurable: true });
  fireEvent.loadedMetadata(element);
  return element;
}

describe('TranscriptView', () => {
  it('seeks by the time of a row and marks the row', async () => {
    const { user } = show();
    const audio = await readyMedia();
    await user.click(await screen.findByRole('button', { name: 'Play from 0:05' }));
    expect(audio.currentTime).toBe(5);
    expect(screen.getByText('Good bye.').closest('li')).toHaveAttribute('data-current');
  });

  it('starts where the address says', async () => {
    show({ startSeconds: 6 });
    const audio = await readyMedia();
    expect(audio.currentTime).toBe(6);
  });

  it('keeps the page small for a long transcript', async () => {
    const segments = Array.from({ length: 2500 }, (_, index) => aSegment(index, `Line ${index}`));
    show({ result: aResult({ segments }) });
    await screen.findByText('Line 0');
    expect(screen.getAllByRole('listitem').length).toBeLessThan(100);
  });

  it('shows text as text', async () => {
    const evil = '<img src=x onerror=alert(1)>';
    show({ result: aResult({ segments: [aSegment(0, evil)] }) });
    expect(await screen.findByText(evil)).toBeVisible();
    expect(document.querySelector('img')).toBeNull();
  });

  it('shows a running job with its partial text and a way to stop it', async () => {
    const { user, props } = show({
      job: aJob({ status: 'processing', stage: 'transcribing', progress: 0.3, eta_seconds: 60 }),
      result: aResult({ complete: false, segments: [aSegment(0, 'So far.')] }),
    });
    expect(await screen.findByText('So far.')).toBeVisible();
    expect(screen.getByText('Transcribing 30 %')).toBeVisible();
    expect(screen.getByText('More text is on its way')).toBeVisible();
    expect(screen.queryByRole('button', { name: 'Download' })).toBeNull();
    await user.click(screen.getByRole('button', { name: 'Cancel' }));
    expect(props.onCancel).toHaveBeenCalled();
  });

  it('tells why a job failed, with retry and an id to copy', async () => {
    const { user, props } = show({
      job: aJob({
        status: 'failed',
        error: { code: 'no_audio_stream', message: 'This video has no sound.' },
      }),
      result: aResult({ segments: [], complete: false }),
    });
    expect(await screen.findByText('This video has no sound.')).toBeVisible();
    expect(screen.getByText(/job-1/)).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Retry' }));
    expect(props.onRetry).toHaveBeenCalled();
  });

  it.each([
    [0, 'no text', []],
    [1, 'some text', [aSegment(0, 'Hello there.')]],
  ])('offers %i ways to see how a failed job with %s was made', async (count, _, segments) => {
    show({
      job: aJob({ status: 'failed', error: { code: 'engine_failed', message: 'It broke.' } }),
      result: aResult({ segments, complete: false }),
    });
    expect(await screen.findByText('It broke.')).toBeVisible();
    expect(screen.queryAllByRole('button', { name: 'How this text was made' })).toHaveLength(count);
  });

  it('offers another model, and no retry, where the model does not know the language', async () => {
    const { user, props } = show({
      job: aJob({
        status: 'failed',
        error: { code: 'language_unsupported', message: 'It knows English only, not German.' },
      }),
      result: aResult({ segments: [], complete: false }),
    });
    await user.click(await screen.findByRole('button', { name: 'Run again with…' }));
    expect(props.onRunAgain).toHaveBeenCalled();
    expect(screen.queryByRole('button', { name: 'Retry' })).toBeNull();
  });

  it('says that a text is of low accuracy and how to better it', async () => {
    const { user, props } = show({
      job: aJob({ low_accuracy: true, engine: 'pocketsphinx', model: null }),
    });
    expect(await screen.findByText('transcribe models download base-q8_0')).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Run again with the real model' }));
    expect(props.onRunAgain).toHaveBeenCalled();
  });

  it('tells why a weak engine was taken', async () => {
    show({
      job: aJob({
        low_accuracy: true,
        engine: 'pocketsphinx',
        model: null,
        engine_reasons: ['the model small is not here; `transcribe models download small` gets it'],
      }),
    });
    expect(await screen.findByText('Why this engine')).toBeVisible();
    expect(screen.getByText('transcribe models download small').tagName).toBe('CODE');
  });

  it('keeps the earlier text while a new run has none', async () => {
    show({
      job: aJob({
        status: 'processing',
        stage: 'decoding',
        progress: 0,
        low_accuracy: true,
        windows: { planned: 0, committed: 0, executed: 0 },
      }),
      result: aResult({ complete: false, previous: true, low_accuracy: true }),
    });
    expect(await screen.findByText('Hello world.')).toBeVisible();
    expect(
      screen.getByText('This is the earlier text. It is replaced when new text comes in.'),
    ).toBeVisible();
    expect(screen.getByRole('button', { name: 'Copy text' })).toBeVisible();
    expect(screen.getByRole('button', { name: 'Play from 0:05' })).toBeVisible();
    expect(screen.queryByRole('button', { name: 'Download' })).toBeNull();
    expect(screen.queryByText('Low accuracy')).toBeNull();
    expect(screen.queryByText('More text is on its way')).toBeNull();
  });

  it('gives the earlier text whole after a cancelled run', async () => {
    show({
      job: aJob({ status: 'cancelled', engine: 'whisper_cpp', model: 'small' }),
      result: aResult({ previous: true, engine: 'pocketsphinx', model: null, low_accuracy: true }),
    });
    expect(await screen.findByText('Hello world.')).toBeVisible();
    expect(screen.getByText('Cancelled')).toBeVisible();
    expect(screen.getByText('The text below is that of the earlier run.')).toBeVisible();
    expect(screen.getByRole('button', { name: 'Download' })).toBeVisible();
    expect(screen.getByRole('button', { name: 'Copy text' })).toBeVisible();
    expect(screen.getAllByText('Low accuracy')).not.toHaveLength(0);
    expect(screen.getByText('PocketSphinx')).toBeVisible();
  });

  it('sets commands in messages of the server as code', async () => {
    show({
      job: aJob({
        status: 'failed',
        error: { code: 'model_missing', message: 'Run `transcribe models list` <b>first</b>.' },
        warnings: [{ code: 'note', message: 'See `transcribe doctor`.' }],
      }),
      result: aResult({ segments: [], complete: false }),
    });
    expect((await screen.findByText('transcribe models list')).tagName).toBe('CODE');
    expect(screen.getByText('transcribe doctor').tagName).toBe('CODE');
    expect(screen.getByText(/<b>first<\/b>\./)).toBeVisible();
    expect(screen.queryByText(/`/)).toBeNull();
  });

  it('does the same with the reason for which a job waits', async () => {
    show({
      job: aJob({ status: 'pending', progress: 0, wait_reason: 'model_missing' }),
      result: aResult({ segments: [], complete: false }),
    });
    expect((await screen.findByText('transcribe models download')).tagName).toBe('CODE');
  });

  it('promises no text where a recording cannot be played and there is none', async () => {
    serveMedia('failed');
    show({
      job: aJob({ status: 'failed', error: { code: 'no_audio_stream', message: 'No sound.' } }),
      result: aResult({ segments: [], complete: false }),
    });
    expect(await screen.findByText('No sound could be read from this recording.')).toBeVisible();
    expect(screen.queryByText(/The text can be read/)).toBeNull();
  });

  it('says that nothing was heard, and lists warnings', async () => {
    show({
      job: aJob({ warnings: [{ code: 'no_speech', message: 'No speech was heard.' }] }),
      result: aResult({ segments: [] }),
    });
    expect(await screen.findByText('No speech was found')).toBeVisible();
    expect(screen.getByText('No speech was heard.')).toBeVisible();
  });

  it('offers another try where the text could not be loaded', async () => {
    const { user, props } = show({ result: undefined, resultError: new Error('x') });
    await user.click(await screen.findByRole('button', { name: 'Try again' }));
    expect(props.onReload).toHaveBeenCalled();
  });

  it('saves a download under the name of the server', async () => {
    const save = vi.spyOn(files, 'saveBlob').mockImplementation(() => undefined);
    let auth: string | null = null;
    server.use(
      http.get('*/api/jobs/:id/download', ({ request }) => {
        auth = request.headers.get('authorization');
        return HttpResponse.text('1\n', {
          headers: { 'content-disposition': 'attachment; filename="meeting.srt"' },
        });
      }),
    );
    const { user } = show();
    await user.click(await screen.findByRole('button', { name: 'Download' }));
    await user.click(await screen.findByRole('menuitem', { name: /Subtitles \(.srt\)/ }));
    await waitFor(() => {
      expect(save).toHaveBeenCalledWith(expect.anything(), 'meeting.srt');
    });
    expect(auth).toBe('Bearer token-1');
  });

  it('renews an expired media URL once and keeps the place', async () => {
    show();
    const audio = await readyMedia();
    audio.currentTime = 12;
    Object.defineProperty(audio, 'error', { value: { code: 2 }, configurable: true });
    fireEvent.error(audio);
    await waitFor(() => {
      expect(document.querySelector('audio')?.src).toContain('/media/2');
    });
    const renewed = await readyMedia();
    expect(renewed.currentTime).toBe(12);
    fireEvent.error(renewed);
    expect(await screen.findByText(/of a kind that this browser does not know/)).toBeVisible();
    expect(mediaCalls).toBe(2);
  });

  it.each([
    ['pending', /playable copy/],
    [
      'failed',
      /^No sound could be read from this recording\. The text can be read all the same\.$/,
    ],
  ])('explains a rendition that is %s', async (rendition, text) => {
    serveMedia(rendition);
    show();
    expect(await screen.findByText(text)).toBeVisible();
    expect(await media()).toBeNull();
  });

  it('listens to keys, not while typing, and lists them', async () => {
    const { user } = show();
    const audio = await readyMedia();
    const play = vi.spyOn(audio, 'play').mockResolvedValue();
    await user.keyboard(' ');
    expect(play).toHaveBeenCalledTimes(1);
    await user.keyboard('{ArrowRight}{ArrowRight}{ArrowLeft}');
    expect(audio.currentTime).toBe(5);
    await user.keyboard('{Alt>}l{/Alt}');
    expect(audio.currentTime).toBe(10);
    await user.keyboard('?');
    // It comes in with a transition, which takes its time on a busy machine.
    const name = 'Keyboard shortcuts';
    const dialog = await screen.findByRole('dialog', { name }, { timeout: 10_000 });
    expect(dialog).toBeVisible();
  });
});
