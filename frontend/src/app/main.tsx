import './theme/styles';

import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { queryClient } from '@/api/query-client';

import { Providers } from './providers';
import { watchSession } from './session-watch';
import { makeRouter } from './router';

const router = makeRouter();
watchSession(router, queryClient);

const root = document.getElementById('root');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <Providers cache={queryClient}>
        <RouterProvider router={router} />
      </Providers>
    </StrictMode>,
  );
}
