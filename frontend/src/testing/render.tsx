/** Renders a component as the app would, inside a router of its own. */

import { MantineProvider } from '@mantine/core';
import { ModalsProvider } from '@mantine/modals';
import { Notifications } from '@mantine/notifications';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import {
  createMemoryHistory,
  createRootRoute,
  createRoute,
  createRouter,
  RouterProvider,
} from '@tanstack/react-router';
import { render } from '@testing-library/react';
import type { ReactNode } from 'react';

export function renderInApp(node: ReactNode) {
  const cache = new QueryClient({
    defaultOptions: { queries: { retry: false, staleTime: 15_000 } },
  });
  const root = createRootRoute({ component: () => node });
  // Links in components need their routes to exist.
  const stub = (path: string) =>
    createRoute({ getParentRoute: () => root, path, component: () => null });
  const router = createRouter({
    routeTree: root.addChildren(
      ['/', '/jobs', '/t/$jobId', '/login', '/register', '/admin/models'].map(stub),
    ),
    history: createMemoryHistory({ initialEntries: ['/'] }),
  });
  const view = render(
    <QueryClientProvider client={cache}>
      <MantineProvider env="test">
        <ModalsProvider>
          <Notifications />
          {/* The test router is another type than the app's registered one. */}
          <RouterProvider router={router as never} />
        </ModalsProvider>
      </MantineProvider>
    </QueryClientProvider>,
  );
  return { ...view, cache, router };
}
