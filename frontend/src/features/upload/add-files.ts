/** One way in for chosen, dropped and pasted files. */

import type { QueryClient } from '@tanstack/react-query';
import { notifications } from '@mantine/notifications';

import { toJobChoices } from '@/api/choices';
import { optionsQuery } from '@/api/options';
import { t } from '@/lib/i18n';

import { choices } from './choices';
import { uploadQueue } from './queue';

export function addFiles(cache: QueryClient, files: Iterable<File>): void {
  const options = cache.getQueryData(optionsQuery.queryKey);
  const duplicates = uploadQueue.add(
    files,
    toJobChoices(choices.get(), options),
    options?.max_file_bytes ?? null,
  );
  for (const name of duplicates) {
    notifications.show({ message: t('queue.duplicate', { name }), color: 'yellow' });
  }
}
