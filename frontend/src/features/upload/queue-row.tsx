import { ActionIcon, Button, Group, Progress, Text } from '@mantine/core';
import { IconPlayerPause, IconPlayerPlay, IconRefresh, IconX } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';

import { toJobChoices } from '@/api/choices';
import { optionsQuery } from '@/api/options';
import { MarkedText } from '@/components/ui/marked-text';
import { useOnline } from '@/hooks/use-online';
import { bytes, percent } from '@/lib/format';
import { t } from '@/lib/i18n';

import { choices } from './choices';
import { uploadQueue, type QueueItem } from './queue';
import classes from './queue.module.css';

function stateText(item: QueueItem, online: boolean): string {
  const share = item.size ? item.sent / item.size : 0;
  switch (item.state) {
    case 'queued':
      return t('queue.queued');
    case 'uploading':
      return online
        ? t('queue.uploading', { done: bytes(item.sent), total: bytes(item.size) })
        : t('queue.offline');
    case 'paused':
      return t('queue.paused', { percent: percent(share) });
    case 'finishing':
      return t('queue.finishing');
    case 'creating':
      return t('queue.creating');
    case 'done':
      return t('queue.done');
    case 'failed':
      return item.error ?? t('queue.failed');
  }
}

export function QueueRow({ item }: { item: QueueItem }) {
  const online = useOnline();
  const cache = useQueryClient();
  const { id, name, state } = item;
  const share = item.size ? item.sent / item.size : 0;
  return (
    <li className={classes.row}>
      <div className={classes.body}>
        <Text fw={550} truncate dir="auto">
          {name}
        </Text>
        <Text
          size="sm"
          c={state === 'failed' ? 'var(--mantine-color-error)' : 'dimmed'}
          className="tabular"
          role={state === 'failed' ? 'alert' : undefined}
        >
          <MarkedText text={stateText(item, online)} />
        </Text>
        {state === 'done' || state === 'failed' ? null : (
          <Progress.Root size="sm" mt={6}>
            <Progress.Section
              value={Math.round(share * 100)}
              color={state === 'paused' ? 'gray' : undefined}
              aria-label={t('queue.progress', { name })}
            />
          </Progress.Root>
        )}
      </div>
      <Group gap={0} wrap="nowrap">
        {state === 'uploading' || state === 'queued' ? (
          <ActionIcon
            variant="subtle"
            color="gray"
            size={44}
            aria-label={t('queue.pause', { name })}
            onClick={() => {
              uploadQueue.pause(id);
            }}
          >
            <IconPlayerPause size={20} />
          </ActionIcon>
        ) : null}
        {state === 'paused' ? (
          <ActionIcon
            variant="subtle"
            size={44}
            aria-label={t('queue.resume', { name })}
            onClick={() => {
              uploadQueue.resume(id);
            }}
          >
            <IconPlayerPlay size={20} />
          </ActionIcon>
        ) : null}
        {state === 'failed' && !item.refused ? (
          <ActionIcon
            variant="subtle"
            size={44}
            aria-label={t('queue.retry', { name })}
            onClick={() => {
              const options = cache.getQueryData(optionsQuery.queryKey);
              uploadQueue.resume(id, toJobChoices(choices.get(), options));
            }}
          >
            <IconRefresh size={20} />
          </ActionIcon>
        ) : null}
        {state === 'done' && item.jobId ? (
          <Button
            component={Link}
            to="/t/$jobId"
            params={{ jobId: item.jobId } as never}
            variant="light"
            size="sm"
          >
            {t('queue.open')}
          </Button>
        ) : null}
        <ActionIcon
          variant="subtle"
          color="gray"
          size={44}
          aria-label={t('queue.remove', { name })}
          onClick={() => {
            uploadQueue.remove(id);
          }}
        >
          <IconX size={20} />
        </ActionIcon>
      </Group>
    </li>
  );
}
