import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { beforeEach, expect, it } from 'vitest';

import { session } from '@/api/session';
import type { ManagedModel, Options } from '@/api/types';
import { aModel, aToken, someOptions } from '@/testing/builders';
import { renderInApp } from '@/testing/render';
import { server } from '@/testing/server';

import { ModelList } from './model-list';

let models: ManagedModel[];
let reads: number;
let calls: string[];

const find = (name: string) => models.find((model) => model.name === name)!;
const change = (name: string, to: Partial<ManagedModel>) => {
  models = models.map((model) => (model.name === name ? { ...model, ...to } : model));
};

beforeEach(() => {
  session.accept(aToken());
  models = [];
  reads = 0;
  calls = [];
  server.use(
    http.get('*/api/options', () => HttpResponse.json(someOptions())),
    http.get('*/api/admin/models', () => {
      reads += 1;
      return HttpResponse.json({
        items: models,
        next_cursor: null,
        folder: '/srv/models',
        free_bytes: 100e6,
      });
    }),
    http.post('*/api/admin/models/:name/:verb', ({ params }) => {
      const name = String(params.name);
      calls.push(`${String(params.verb)} ${name}`);
      if (params.verb === 'download') change(name, { state: 'downloading', received_bytes: 20e6 });
      else change(name, { state: 'invalid', error: 'Not the published file.' });
      return HttpResponse.json(find(name), { status: params.verb === 'download' ? 202 : 200 });
    }),
  );
});

async function show(...items: ManagedModel[]) {
  models = items;
  renderInApp(<ModelList />);
  await screen.findByText(/100 MB free/);
  return userEvent.setup();
}

const card = (name: string) => screen.getByText(name).closest('li')!;

const use = (default_engine: Partial<Options['default_engine']>) => {
  const standard = { engine: null, model: null, low_accuracy: false, reason: null };
  server.use(
    http.get('*/api/options', () =>
      HttpResponse.json(someOptions({ default_engine: { ...standard, ...default_engine } })),
    ),
  );
};

it('tells which model is in use where it is a file of the operator’s own', async () => {
  use({ engine: 'whisper_cpp', model: 'our-own' });
  await show(aModel('base-q8_0'));
  expect(await screen.findByText(/New jobs use .*our-own/)).toBeVisible();
});

it('tells why jobs wait where that file is not here', async () => {
  use({ reason: 'whisper_cpp: there is no model file /srv/own.bin.' });
  await show(aModel('base-q8_0'));
  expect(await screen.findByText(/there is no model file/)).toBeVisible();
});

it('does not repeat the model that the list marks', async () => {
  use({ engine: 'whisper_cpp', model: 'base-q8_0' });
  await show(aModel('base-q8_0', { default: true }));
  expect(screen.queryByText(/New jobs use/)).toBeNull();
});

it('tells what each model is, by what it is for', async () => {
  await show(
    aModel('base-q8_0', { state: 'present', default: true, in_use: true, recommended: true }),
    aModel('tiny.en', { multilingual: false }),
    aModel('voices', { kind: 'speakers', licence: 'Apache-2.0' }),
  );
  const base = within(card('base-q8_0'));
  for (const text of ['Ready', 'Recommended', 'Default', 'In use']) {
    expect(base.getByText(text)).toBeVisible();
  }
  expect(within(card('tiny.en')).getByText('82 MB · English only · MIT licence')).toBeVisible();
  const voices = screen.getByRole('region', { name: 'Telling speakers apart' });
  expect(within(voices).getByText('82 MB · Apache-2.0 licence')).toBeVisible();
});

it('fetches a model, shows how far it is, and asks only while it runs', async () => {
  const user = await show(aModel('small'));
  await user.click(screen.getByRole('button', { name: 'Download: small' }));
  expect(await screen.findByText('20 MB of 82 MB (24 %)')).toBeVisible();
  expect(screen.getByRole('progressbar', { name: 'Download of small' })).toHaveAttribute(
    'aria-valuenow',
    '24',
  );
  const before = reads;
  await waitFor(
    () => {
      expect(reads).toBeGreaterThan(before);
    },
    { timeout: 3000 },
  );
  change('small', { state: 'present', received_bytes: 82e6 });
  expect(await screen.findByText('Ready', {}, { timeout: 3000 })).toBeVisible();
  const quiet = reads;
  await new Promise((resolve) => setTimeout(resolve, 1300));
  expect(reads).toBe(quiet);
  expect(calls).toEqual(['download small']);
});

it('goes on with a download that broke off, and says why it did', async () => {
  await show(aModel('small', { received_bytes: 20e6, error: 'The line broke. Try `again`.' }));
  expect(screen.getByText('20 MB of 82 MB are here already.')).toBeVisible();
  expect(screen.getByRole('alert')).toHaveTextContent('The line broke. Try again.');
  expect(screen.getByRole('button', { name: 'Go on with the download: small' })).toBeEnabled();
});

it('warns before the disk is too small', async () => {
  await show(aModel('large', { bytes: 3e9 }));
  expect(screen.getByText('Too little room: 3 GB are needed, 100 MB are free.')).toBeVisible();
});

it('tells what a check found', async () => {
  const user = await show(aModel('base', { state: 'present' }));
  await user.click(screen.getByRole('button', { name: 'Check: base' }));
  expect(await screen.findByText('base is damaged.')).toBeVisible();
  expect(await screen.findByText('Not the published file.')).toBeVisible();
  expect(screen.getByRole('button', { name: 'Download again: base' })).toBeEnabled();
});

it('asks before it removes, and shows a refusal', async () => {
  server.use(
    http.delete('*/api/admin/models/base', () =>
      HttpResponse.json(
        { error: { code: 'conflict', message: 'base is in use.', request_id: 'r' } },
        { status: 409 },
      ),
    ),
  );
  const user = await show(aModel('base', { state: 'present' }));
  await user.click(screen.getByRole('button', { name: 'Remove: base' }));
  const dialog = await screen.findByRole('dialog', { name: 'Remove this model?' });
  await user.click(within(dialog).getByRole('button', { name: 'Remove' }));
  expect(await screen.findByText('base is in use.')).toBeVisible();
});

it('does not offer to remove what is in use', async () => {
  await show(aModel('base', { state: 'present', in_use: true }));
  expect(screen.getByRole('button', { name: 'Remove: base' })).toBeDisabled();
});
