import { screen } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { useState } from 'react';
import { beforeEach, expect, it } from 'vitest';

import { aToken } from '@/testing/builders';
import { renderInApp } from '@/testing/render';
import { server } from '@/testing/server';

import { usePeaks } from './files';
import { session } from './session';

function Probe() {
  const [active, setActive] = useState(true);
  const { data } = usePeaks('file-1', active);
  return (
    <button
      onClick={() => {
        setActive(false);
      }}
    >
      {data === undefined ? 'asking' : data === null ? 'none yet' : `${String(data.length)} pixels`}
    </button>
  );
}

beforeEach(() => {
  session.accept(aToken());
});

it('asks for the loudness again once the job has ended', async () => {
  let read = false;
  server.use(
    http.get('*/api/files/file-1/peaks', () =>
      read
        ? HttpResponse.json({
            version: 2,
            channels: 1,
            sample_rate: 16_000,
            samples_per_pixel: 256,
            bits: 8,
            length: 2,
            data: [-1, 1, -2, 2],
          })
        : HttpResponse.json(
            { error: { code: 'not_found', message: 'Nothing here.', request_id: 'r' } },
            { status: 404 },
          ),
    ),
  );
  renderInApp(<Probe />);
  const probe = await screen.findByText('none yet');
  read = true;
  probe.click();
  expect(await screen.findByText('2 pixels')).toBeVisible();
});
