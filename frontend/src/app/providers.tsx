import { MantineProvider } from '@mantine/core';
import { ModalsProvider, useModals } from '@mantine/modals';
import { Notifications } from '@mantine/notifications';
import { QueryClientProvider, type QueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';

import { useInertPage } from '@/hooks/use-inert-page';
import { t } from '@/lib/i18n';

import { cssVariables, theme } from './theme/theme';

function InertBehindModals() {
  useInertPage(useModals().modals.length > 0);
  return null;
}

export function Providers({ cache, children }: { cache: QueryClient; children: ReactNode }) {
  return (
    <QueryClientProvider client={cache}>
      <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
        <ModalsProvider modalProps={{ closeButtonProps: { 'aria-label': t('action.close') } }}>
          <Notifications position="top-right" />
          <InertBehindModals />
          {children}
        </ModalsProvider>
      </MantineProvider>
    </QueryClientProvider>
  );
}
