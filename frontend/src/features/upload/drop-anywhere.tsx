import { IconUpload } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';

import { t } from '@/lib/i18n';

import { addFiles } from './add-files';
import classes from './drop.module.css';

const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;

/** Takes files dropped or pasted anywhere on a signed-in page. */
export function DropAnywhere({ onAdded }: { onAdded: () => void }) {
  const cache = useQueryClient();
  const [over, setOver] = useState(false);
  useEffect(() => {
    // Entering a child fires `enter` before the parent's `leave`: count them.
    let depth = 0;
    const take = (files: FileList | undefined) => {
      if (!files?.length) return;
      addFiles(cache, files);
      onAdded();
    };
    const stop = new AbortController();
    const on = <K extends 'dragenter' | 'dragleave' | 'dragover' | 'drop'>(
      type: K,
      act: (event: DragEvent) => void,
    ) => {
      const handler = (event: DragEvent) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        act(event);
      };
      addEventListener(type, handler, { signal: stop.signal });
    };
    on('dragenter', () => {
      depth += 1;
      setOver(true);
    });
    on('dragover', () => undefined);
    on('dragleave', () => {
      depth -= 1;
      if (depth <= 0) setOver(false);
    });
    on('drop', (event) => {
      depth = 0;
      setOver(false);
      take(event.dataTransfer?.files);
    });
    addEventListener(
      'paste',
      (event) => {
        take(event.clipboardData?.files);
      },
      { signal: stop.signal },
    );
    return () => {
      stop.abort();
    };
  }, [cache, onAdded]);
  if (!over) return null;
  return (
    <div className={classes.overlay} role="status">
      <IconUpload size={48} aria-hidden="true" />
      {t('drop.overlay')}
    </div>
  );
}
