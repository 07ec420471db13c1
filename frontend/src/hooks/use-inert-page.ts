import { useEffect } from 'react';

/** Takes the page behind an open dialog out of reach, for the mouse, the keyboard and screen readers. */
export function useInertPage(dialogOpen: boolean): void {
  useEffect(() => {
    const page = document.getElementById('root');
    if (!page || !dialogOpen) return;
    page.inert = true;
    return () => {
      page.inert = false;
    };
  }, [dialogOpen]);
}
