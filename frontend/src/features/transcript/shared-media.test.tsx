import { screen } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { expect, it } from 'vitest';

import { aResult } from '@/testing/builders';
import { renderInApp } from '@/testing/render';
import { server } from '@/testing/server';

import { SharedView } from './shared-view';

it.each([
  [409, 'media_unavailable', 'No sound could be read from this recording.'],
  [404, 'not_found', 'There is no recording here.'],
])('tells a guest why nothing plays after %i %s', async (status, code, told) => {
  server.use(
    http.get('*/media', () =>
      HttpResponse.json({ error: { code, message: '', request_id: 'r' } }, { status }),
    ),
    http.get('*/peaks', () => new HttpResponse(null, { status: 404 })),
    http.get('*/result', () => HttpResponse.json(aResult({ segments: [], complete: false }))),
  );
  renderInApp(
    <SharedView
      source={{ kind: 'link', token: 'token' }}
      title="notes.txt"
      progress={{ status: 'failed', progress: 0, stage: null, eta_seconds: null }}
      canEdit={false}
      allowDownload={false}
      startSeconds={undefined}
      back={null}
    />,
  );
  expect(await screen.findByText(told)).toBeVisible();
  expect(screen.queryByText(/this browser/)).toBeNull();
});
