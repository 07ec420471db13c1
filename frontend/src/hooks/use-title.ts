import { useEffect } from 'react';

import { APP_NAME } from '@/config/constants';

/** The title of the tab while the page is shown. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title ? `${title} · ${APP_NAME}` : APP_NAME;
  }, [title]);
}
