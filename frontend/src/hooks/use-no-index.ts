import { useEffect } from 'react';

/** Asks search engines to leave this page out, beside the header that says the same. */
export function useNoIndex(): void {
  useEffect(() => {
    const mark = document.createElement('meta');
    mark.name = 'robots';
    mark.content = 'noindex';
    document.head.append(mark);
    return () => {
      mark.remove();
    };
  }, []);
}
