import { Button, Text } from '@mantine/core';
import { IconFileMusic, IconUpload } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useRef } from 'react';

import type { Options } from '@/api/types';
import { binaryBytes } from '@/lib/format';
import { t } from '@/lib/i18n';

import { addFiles } from './add-files';
import classes from './drop.module.css';

export function DropCard({ options }: { options: Options | undefined }) {
  const cache = useQueryClient();
  const input = useRef<HTMLInputElement>(null);
  return (
    <section className={classes.card} aria-label={t('drop.title')}>
      <div className={classes.icon} aria-hidden="true">
        <IconFileMusic size={36} stroke={1.5} />
      </div>
      <Text fw={650} fz={20} ta="center">
        {t('drop.title')}
      </Text>
      <Text c="dimmed" ta="center">
        {t('drop.text')}
      </Text>
      <Button
        size="md"
        mt="sm"
        leftSection={<IconUpload size={20} />}
        onClick={() => input.current?.click()}
      >
        {t('drop.choose')}
      </Button>
      <input
        ref={input}
        type="file"
        multiple
        // A hint only: whatever else holds sound (a recorder's odd extension) is welcome too.
        accept="audio/*,video/*,.mkv,.amr,.wma,.aiff,.opus,.flac,.txt"
        className={classes.input}
        aria-label={t('drop.choose')}
        tabIndex={-1}
        data-testid="file-input"
        onChange={(event) => {
          addFiles(cache, event.currentTarget.files ?? []);
          // The same file may be chosen again later.
          event.currentTarget.value = '';
        }}
      />
      <Text size="sm" c="dimmed" ta="center" mt="xs">
        {t('drop.formats')}
        {options ? ` ${t('drop.limit', { size: binaryBytes(options.max_file_bytes) })}` : ''}
      </Text>
    </section>
  );
}
