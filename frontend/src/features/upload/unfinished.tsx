import { ActionIcon, Alert, Group, Text } from '@mantine/core';
import { IconHistory, IconX } from '@tabler/icons-react';
import { useState } from 'react';

import { useStore } from '@/hooks/use-store';
import { ago, bytes } from '@/lib/format';
import { t } from '@/lib/i18n';

import { fingerprints } from './fingerprints';
import { uploadApi } from './ports';
import { uploadQueue } from './queue';

/** Uploads that a reload cut off: the file has to be chosen again, its sent parts are kept. */
export function Unfinished() {
  const items = useStore(uploadQueue.items);
  const [, redraw] = useState(0);
  const open = fingerprints
    .all()
    .filter((entry) => !items.some((item) => item.name === entry.name && item.size === entry.size));
  if (open.length === 0) return null;
  return (
    <Alert variant="light" color="yellow" icon={<IconHistory />} title={t('unfinished.title')}>
      <Text size="sm">{t('unfinished.text')}</Text>
      {open.map((entry) => (
        <Group key={entry.upload_id} justify="space-between" wrap="nowrap" mt={4}>
          <Text size="sm" fw={550} dir="auto" miw={0}>
            {entry.name}{' '}
            <Text span inherit fw={400}>
              ({t('unfinished.sent', { size: bytes(entry.size), when: ago(entry.started_at) })})
            </Text>
          </Text>
          <ActionIcon
            variant="subtle"
            color="gray"
            size={36}
            aria-label={t('unfinished.discard', { name: entry.name })}
            onClick={() => {
              fingerprints.forget(entry.upload_id);
              void uploadApi(null)
                .abort(entry.upload_id)
                .catch(() => undefined);
              redraw((n) => n + 1);
            }}
          >
            <IconX size={18} />
          </ActionIcon>
        </Group>
      ))}
    </Alert>
  );
}
