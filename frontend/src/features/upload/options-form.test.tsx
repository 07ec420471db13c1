import { act, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, it } from 'vitest';

import { DEFAULT_CHOICES } from '@/api/choices';
import { STORAGE } from '@/config/constants';
import { readJson } from '@/lib/storage';
import { anEngine, someOptions } from '@/testing/builders';
import { renderInApp } from '@/testing/render';

import { choices, choose } from './choices';
import { OptionsForm } from './options-form';
import { uploadQueue } from './queue';

beforeEach(() => {
  choose(DEFAULT_CHOICES);
  uploadQueue.items.set([]);
});

async function show(options = someOptions()) {
  renderInApp(<OptionsForm options={options} />);
  const user = userEvent.setup();
  const more = await screen.findByRole('button', { name: /More options/ });
  return { user, more };
}

/** The fold opens by a transition: what is in it cannot be seen, nor typed into, before its first frame. */
async function unfold(user: ReturnType<typeof userEvent.setup>, more: HTMLElement) {
  await user.click(more);
  const field = await screen.findByRole('combobox', { name: 'Names and terms' });
  await waitFor(() => {
    expect(field).toBeVisible();
  });
}

async function pick(user: ReturnType<typeof userEvent.setup>, field: string, option: RegExp) {
  await user.click(screen.getByRole('combobox', { name: field }));
  await user.click(await screen.findByRole('option', { name: option }));
}

it('takes typed terms and a pasted list, without repeats, and remembers them', async () => {
  const { user, more } = await show();
  await unfold(user, more);
  const field = screen.getByRole('combobox', { name: 'Names and terms' });
  await user.type(field, 'Ada Lovelace,');
  await user.click(field);
  await user.paste('Grace Hopper\nada lovelace; Linus');
  expect(choices.get().vocabulary).toEqual(['Ada Lovelace', 'Grace Hopper', 'Linus']);
  expect(readJson<typeof DEFAULT_CHOICES | null>(STORAGE.options, null)?.vocabulary).toHaveLength(
    3,
  );
});

it('leaves out a term that is too long, and says so', async () => {
  const { user, more } = await show();
  await unfold(user, more);
  await user.click(screen.getByRole('combobox', { name: 'Names and terms' }));
  await user.paste(`${'x'.repeat(61)}, Ada`);
  expect(choices.get().vocabulary).toEqual(['Ada']);
  expect(screen.getByText(/at most 60 letters/)).toBeVisible();
});

it('asks for the number of speakers in a conversation only', async () => {
  const { user, more } = await show();
  await unfold(user, more);
  expect(screen.queryByRole('combobox', { name: 'How many speak' })).toBeNull();
  await user.click(screen.getByRole('radio', { name: 'Conversation' }));
  await pick(user, 'At most', /^4$/);
  expect(choices.get().maxSpeakers).toBe(4);
  await pick(user, 'How many speak', /^2$/);
  expect(choices.get().speakers).toBe(2);
  expect(screen.queryByRole('combobox', { name: 'At most' })).toBeNull();
});

it('offers several languages, translation and a style', async () => {
  const { user, more } = await show();
  await pick(user, 'Language', /Several languages/);
  await unfold(user, more);
  await user.click(await screen.findByRole('switch', { name: /Translate to English/ }));
  await user.type(screen.getByRole('textbox', { name: 'Style example' }), 'Dear all,');
  expect(choices.get()).toMatchObject({ language: 'mixed', translate: true, prompt: 'Dear all,' });
  await user.click(screen.getByRole('button', { name: 'Fewer options' }));
  expect(screen.getByRole('button', { name: 'More options (2 set)' })).toBeVisible();
});

it('says which engines send the recording away and which are weak', async () => {
  const options = someOptions({
    engines: [
      anEngine('whisper_cpp'),
      anEngine('assemblyai', { cloud: true }),
      anEngine('openai', { cloud: true, available: false, models: ['whisper-1'] }),
      anEngine('pocketsphinx', { low_accuracy: true }),
    ],
  });
  const { user } = await show(options);
  await user.click(screen.getByRole('combobox', { name: 'Engine and model' }));
  const list = await screen.findByRole('listbox', { name: 'Engine and model' });
  const names = within(list)
    .getAllByRole('option')
    .map((option) => option.textContent);
  expect(names).toContain('AssemblyAI · leaves this server');
  expect(names).toContain('OpenAI-compatible · whisper-1 · leaves this server · not available');
  expect(names).toContain('PocketSphinx · low accuracy');
  await user.click(within(list).getByRole('option', { name: /AssemblyAI/ }));
  expect(screen.getByText(/The recording is sent to AssemblyAI/)).toBeVisible();
});

it('shows what the server refused at its field, commands set as code', async () => {
  await show();
  act(() => {
    uploadQueue.items.set([
      {
        id: '1',
        name: 'a.wav',
        size: 1,
        state: 'failed',
        sent: 1,
        error: 'Too many terms. See `transcribe help`.',
        field: 'vocabulary',
        refused: false,
        jobId: null,
      },
    ]);
  });
  expect((await screen.findByText('transcribe help')).tagName).toBe('CODE');
  // Its group of options unfolds first.
  expect(await screen.findByRole('combobox', { name: 'Names and terms' })).toBeInvalid();
});
