import { Button, Group, Text, Title } from '@mantine/core';

import { useStore } from '@/hooks/use-store';
import { percent } from '@/lib/format';
import { t } from '@/lib/i18n';

import { isBusy, uploadQueue } from './queue';
import classes from './queue.module.css';
import { QueueRow } from './queue-row';

export function QueueList() {
  const items = useStore(uploadQueue.items);
  if (items.length === 0) return null;
  const done = items.filter((item) => item.state === 'done').length;
  const total = items.reduce((sum, item) => sum + item.size, 0);
  const sent = items.reduce((sum, item) => sum + Math.min(item.sent, item.size), 0);
  const canPause = items.some((item) => item.state === 'uploading' || item.state === 'queued');
  const canResume = items.some((item) => item.state === 'paused');
  return (
    <section aria-labelledby="queue-title">
      <Group justify="space-between" mb="xs" gap="xs">
        <div>
          <Title order={2} id="queue-title">
            {t('queue.title')}
          </Title>
          {items.length > 1 ? (
            <Text size="sm" c="dimmed" className="tabular">
              {t('queue.total', {
                done,
                total: items.length,
                percent: percent(total ? sent / total : 0),
              })}
            </Text>
          ) : null}
        </div>
        <Group gap={4}>
          {canPause && items.length > 1 ? (
            <Button
              variant="subtle"
              onClick={() => {
                uploadQueue.pauseAll();
              }}
            >
              {t('queue.pauseAll')}
            </Button>
          ) : null}
          {canResume && items.length > 1 ? (
            <Button
              variant="subtle"
              onClick={() => {
                uploadQueue.resumeAll();
              }}
            >
              {t('queue.resumeAll')}
            </Button>
          ) : null}
          {done > 0 ? (
            <Button
              variant="subtle"
              onClick={() => {
                uploadQueue.clearDone();
              }}
            >
              {t('queue.clearDone')}
            </Button>
          ) : null}
        </Group>
      </Group>
      <ul className={classes.list}>
        {items.map((item) => (
          <QueueRow key={item.id} item={item} />
        ))}
      </ul>
      {items.some(isBusy) ? (
        <Text size="sm" c="dimmed" mt="xs">
          {t('queue.keepOpen')}
        </Text>
      ) : null}
    </section>
  );
}
