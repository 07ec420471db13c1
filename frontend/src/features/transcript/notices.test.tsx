import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it, vi } from 'vitest';

import type { Job } from '@/api/types';
import * as files from '@/lib/download';
import { aJob, aResult } from '@/testing/builders';
import { renderInApp } from '@/testing/render';

import { Notices } from './notices';

/** The notice of a job that was set aside before any of its text was made. */
async function setAside(error: Omit<NonNullable<Job['error']>, 'code'>) {
  renderInApp(
    <Notices
      job={aJob({
        status: 'failed',
        windows: { planned: 1, committed: 0, executed: 0 },
        error: { code: 'quarantined', ...error },
      })}
      result={aResult({ segments: [], complete: false })}
      command="transcribe models download base-q8_0"
      onRetry={vi.fn()}
      onRunAgain={vi.fn()}
      onListen={undefined}
      listening={false}
    />,
  );
  return screen.findByRole('alert');
}

describe('the notice of a job that was set aside', () => {
  it('says what to do, and nothing of a text where there is none', async () => {
    const alert = await setAside({
      message: 'The server went down 5 times in a row.',
      advice: 'Retry with a smaller model.',
    });
    expect(alert).toHaveTextContent('What to do: Retry with a smaller model.');
    expect(alert).toHaveTextContent('Error code: quarantined');
    expect(within(alert).queryByText('Last words of the engine')).toBeNull();
    expect(alert).not.toHaveTextContent(/kept|below/);
  });

  it('shows the last words of the engine and copies them', async () => {
    const copied = vi.spyOn(files, 'copyText').mockResolvedValue(true);
    const user = userEvent.setup();
    const log_tail = 'whisper_init: loading\nggml: out of memory';
    const message = 'The engine crashed 2 times on window 1 of this recording.';
    const alert = within(await setAside({ message, window: 0, log_tail }));
    expect(alert.getByText(/ggml: out of memory/)).not.toBeVisible();
    await user.click(alert.getByText('Last words of the engine'));
    expect(alert.getByText(/ggml: out of memory/)).toBeVisible();
    await user.click(alert.getByRole('button', { name: 'Copy the last words' }));
    expect(copied).toHaveBeenCalledWith(log_tail);
    expect(await alert.findByRole('button', { name: 'Copied' })).toBeVisible();
    // The message has said where.
    expect(alert.getAllByText(/window 1/)).toHaveLength(1);
  });

  it('says where if the message does not', async () => {
    const message = 'The server went down 5 times in a row.';
    const alert = await setAside({ message, window: 0 });
    expect(alert).toHaveTextContent('It happened in window 1.');
  });
});
