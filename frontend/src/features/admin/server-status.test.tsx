import { screen } from '@testing-library/react';
import { expect, it } from 'vitest';

import type { ManagedModel, ServerStatus as Status } from '@/api/types';
import { aModel, someOptions } from '@/testing/builders';
import { renderInApp } from '@/testing/render';

import { ServerStatus } from './server-status';

const status: Status = {
  version: '0.1.0',
  yt_dlp: { enabled: false, version: null, upgraded: false, javascript: null },
  storage: { backend: 'local' },
  database: { dialect: 'sqlite' },
  mail: { sends: false },
};
const ready = { status: 'ready', checks: { engine: { ok: true, detail: 'pocketsphinx' } } };

async function show(engine: string | null, model: Partial<ManagedModel>) {
  const low = engine === 'pocketsphinx';
  const chosen = { engine, model: null, low_accuracy: low, reason: null };
  renderInApp(
    <ServerStatus
      ready={ready}
      status={status}
      models={[aModel('base-q8_0', { default: true, ...model }), aModel('small')]}
      options={someOptions({ default_engine: chosen })}
    />,
  );
  return screen.findByRole('status');
}

it('says that everything works only where the speech model is there', async () => {
  expect(await show('whisper_cpp', { state: 'present' })).toHaveTextContent(/^Everything works$/);
});

it.each([
  ['absent', 'The speech model base-q8_0 is missing.'],
  ['downloading', 'The speech model base-q8_0 is still being downloaded.'],
  ['invalid', 'The file of the speech model base-q8_0 is not the right one.'],
] as const)('tells a model that is %s, what stands in, and where to go', async (state, told) => {
  const verdict = await show('pocketsphinx', { state });
  expect(verdict).toHaveTextContent('Not everything works');
  expect(verdict).toHaveTextContent(told);
  expect(verdict).toHaveTextContent(/with low accuracy/);
  expect(screen.getByRole('link', { name: 'See the models' })).toHaveAttribute(
    'href',
    '/admin/models',
  );
});

it('needs no model of its own where a provider writes the texts', async () => {
  expect(await show('assemblyai', { state: 'absent' })).toHaveTextContent(/^Everything works$/);
});
