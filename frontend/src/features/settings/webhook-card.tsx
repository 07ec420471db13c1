import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { IconSend } from '@tabler/icons-react';
import { useState } from 'react';

import type { Webhook } from '@/api/types';
import { useWebhookCommands } from '@/api/webhooks';
import { notifyDone, notifyError } from '@/components/ui/notify';
import { useNow } from '@/hooks/use-now';
import { fullDate } from '@/lib/format';
import { t, tn } from '@/lib/i18n';
import '@/lib/i18n/en-webhooks';

import { WebhookForm } from './webhook-form';
import { WebhookMenu } from './webhook-menu';
import { WebhookNotice } from './webhook-notice';
import { WebhookSecret } from './webhook-secret';
import { WebhookState } from './webhook-state';
import { eventsText } from './webhook-text';
import classes from './webhooks.module.css';

interface Props {
  workspaceId: string;
  webhook: Webhook;
  onDeleted: () => void;
}

const failed = (error: unknown) => {
  notifyError(error);
};

/** What a webhook is, and everything that is done with it. */
export function WebhookCard({ workspaceId, webhook, onDeleted }: Props) {
  const { change, remove, rotate, test, recover } = useWebhookCommands(workspaceId, webhook.id);
  const [editing, setEditing] = useState(false);
  const secret = rotate.data?.secret;
  const now = useNow();
  const sendMissed = () => {
    recover.mutate(undefined, {
      onError: failed,
      onSuccess: ({ queued }) => {
        notifyDone(queued ? tn('webhooks.recovered', queued) : t('webhooks.recoveredNone'));
      },
    });
  };
  return (
    <>
      <Group gap="sm" mb="lg">
        <WebhookState webhook={webhook} />
        <Button
          ms="auto"
          variant="default"
          leftSection={<IconSend size={18} />}
          disabled={!webhook.enabled}
          loading={test.isPending}
          onClick={() => {
            test.mutate(undefined, {
              onError: failed,
              onSuccess: () => {
                notifyDone(t('webhooks.tested'));
              },
            });
          }}
        >
          {t('webhooks.test')}
        </Button>
        <WebhookMenu
          webhook={webhook}
          onEdit={() => {
            setEditing(true);
          }}
          onRotate={() => {
            rotate.mutate(undefined, { onError: failed });
          }}
          onSwitchOff={() => {
            change.mutate({ enabled: false }, { onError: failed });
          }}
          onRecover={sendMissed}
          onDelete={() => {
            remove.mutate(undefined, {
              onError: failed,
              onSuccess: () => {
                notifyDone(t('webhooks.deleted'));
                onDeleted();
              },
            });
          }}
        />
      </Group>
      <Stack gap="lg">
        <WebhookNotice
          webhook={webhook}
          pending={change.isPending}
          onSwitchOn={() => {
            const missed = webhook.disabled_reason !== 'person';
            change.mutate(
              { enabled: true },
              { onError: failed, ...(missed ? { onSuccess: sendMissed } : {}) },
            );
          }}
        />
        <section className="card" style={{ padding: 24 }}>
          <dl className={classes.facts}>
            <dt>{t('webhooks.url')}</dt>
            <dd>{webhook.url}</dd>
            <dt>{t('webhooks.events')}</dt>
            <dd>{eventsText(webhook)}</dd>
          </dl>
          {webhook.previous_secret_until && Date.parse(webhook.previous_secret_until) > now ? (
            <Text size="sm" c="dimmed" mt="sm">
              {t('webhooks.rotating', { when: fullDate(webhook.previous_secret_until) })}
            </Text>
          ) : null}
        </section>
      </Stack>
      <Modal
        opened={editing}
        onClose={() => {
          setEditing(false);
        }}
        title={t('webhooks.editTitle')}
        centered
      >
        <WebhookForm
          webhook={webhook}
          label={t('action.save')}
          pending={change.isPending}
          onCancel={() => {
            setEditing(false);
          }}
          onSubmit={(fields, refused) => {
            change.mutate(fields, {
              onError: refused,
              onSuccess: () => {
                setEditing(false);
              },
            });
          }}
        />
      </Modal>
      <Modal
        opened={Boolean(secret)}
        onClose={rotate.reset}
        title={t('webhooks.rotate')}
        // The secret is shown once: a click beside it must not lose it.
        closeOnClickOutside={false}
        centered
      >
        {secret ? <WebhookSecret secret={secret} onDone={rotate.reset} /> : null}
      </Modal>
    </>
  );
}
