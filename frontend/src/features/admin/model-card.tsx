import { Badge, Button, Group, Progress, Text } from '@mantine/core';
import { modals } from '@mantine/modals';
import { IconDownload, IconPlayerStop, IconShieldCheck, IconTrash } from '@tabler/icons-react';
import type { ReactNode } from 'react';

import { useModelActions } from '@/api/models';
import type { ManagedModel } from '@/api/types';
import { MarkedText } from '@/components/ui/marked-text';
import { notifyDone, notifyError } from '@/components/ui/notify';
import { ago, bytes, percent } from '@/lib/format';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-settings';

import classes from './models.module.css';

const STATE_COLOURS = { absent: 'gray', downloading: 'blue', present: 'green', invalid: 'red' };

interface Props {
  model: ManagedModel;
  freeBytes: number;
}

/** One model file: what it is, whether it is here, and what can be done with it. */
export function ModelCard({ model, freeBytes }: Props) {
  const { name, state } = model;
  const facts = [
    bytes(model.bytes),
    ...(model.kind === 'speech'
      ? [t(model.multilingual ? 'models.multilingual' : 'models.englishOnly')]
      : []),
    t('models.licence', { name: model.licence }),
    ...(model.verified_at ? [t('models.verified', { when: ago(model.verified_at) })] : []),
  ];
  return (
    <li className={`card ${classes.card ?? ''}`}>
      <div className={classes.body}>
        <Group gap={8}>
          <Text fw={650} className={classes.name}>
            {name}
          </Text>
          <Badge color={STATE_COLOURS[state]} size="lg">
            {t(`models.state.${state}`)}
          </Badge>
          {model.recommended ? <Badge size="lg">{t('models.recommended')}</Badge> : null}
          {model.default ? (
            <Badge color="gray" size="lg">
              {t('models.default')}
            </Badge>
          ) : null}
          {model.in_use ? (
            <Badge color="yellow" size="lg">
              {t('models.inUse')}
            </Badge>
          ) : null}
        </Group>
        <Text size="sm" c="dimmed" className="tabular" mt={4}>
          {facts.join(' · ')}
        </Text>
        <Progressing model={model} />
        <Trouble model={model} freeBytes={freeBytes} />
      </div>
      <Actions model={model} />
    </li>
  );
}

/** How far a download is, or how far one came that broke off. */
function Progressing({ model }: { model: ManagedModel }) {
  const { name, state, received_bytes: received, bytes: total } = model;
  const sizes = { done: bytes(received), total: bytes(total) };
  if (state === 'downloading') {
    const share = total ? Math.min(1, received / total) : 0;
    return (
      <div className={classes.progress}>
        <Text size="sm" className="tabular" mb={4}>
          {t('models.received', sizes)} ({percent(share)})
        </Text>
        <Progress.Root size="sm">
          <Progress.Section
            value={Math.round(share * 100)}
            animated
            aria-label={t('models.progress', { name })}
          />
        </Progress.Root>
      </div>
    );
  }
  if (state !== 'absent' || received === 0) return null;
  return (
    <Text size="sm" className="tabular" mt={4}>
      {t('models.broke', sizes)}
    </Text>
  );
}

/** Why the last download or check failed, or why one would. */
function Trouble({ model, freeBytes }: Props) {
  const missing = model.bytes - model.received_bytes;
  const full = model.state === 'absent' && missing > freeBytes;
  const text =
    model.error ??
    (full ? t('models.noRoom', { size: bytes(missing), free: bytes(freeBytes) }) : null);
  if (!text) return null;
  return (
    <Text size="sm" c="var(--mantine-color-error)" mt={4} role={model.error ? 'alert' : undefined}>
      <MarkedText text={text} />
    </Text>
  );
}

function Actions({ model }: { model: ManagedModel }) {
  const { download, verify, remove } = useModelActions();
  const { name, state } = model;
  const onError = (error: unknown) => {
    notifyError(error);
  };
  const fetchIt = () => {
    download.mutate(name, { onError });
  };
  const check = () => {
    verify.mutate(name, {
      onSuccess: (checked) => {
        if (checked.state === 'present') notifyDone(t('models.verifiedGood', { name }));
        else notifyError(null, t('models.verifiedBad', { name }));
      },
      onError,
    });
  };
  const removeIt = () => {
    remove.mutate(name, {
      onSuccess: () => {
        notifyDone(t('models.removed', { name }));
      },
      onError,
    });
  };
  const ask = () => {
    modals.openConfirmModal({
      title: t('models.removeTitle'),
      children: t('models.removeText', { name, size: bytes(model.bytes) }),
      labels: { confirm: t('models.remove'), cancel: t('action.cancel') },
      confirmProps: { color: 'red' },
      onConfirm: removeIt,
    });
  };
  if (state === 'downloading') {
    return (
      <div className={classes.actions}>
        <Action name={name} text={t('models.stop')} busy={remove.isPending} onClick={removeIt}>
          <IconPlayerStop size={18} />
        </Action>
      </div>
    );
  }
  const here = state === 'present' || state === 'invalid';
  const again = state === 'invalid' ? t('models.fetchAgain') : null;
  const first = model.received_bytes > 0 ? t('models.resume') : t('models.download');
  return (
    <div className={classes.actions}>
      {state === 'present' ? (
        <Action name={name} text={t('models.verify')} busy={verify.isPending} onClick={check}>
          <IconShieldCheck size={18} />
        </Action>
      ) : (
        <Action name={name} text={again ?? first} busy={download.isPending} onClick={fetchIt} main>
          <IconDownload size={18} />
        </Action>
      )}
      {here ? (
        <Action
          name={name}
          text={t('models.remove')}
          busy={remove.isPending}
          disabled={model.in_use}
          onClick={ask}
        >
          <IconTrash size={18} />
        </Action>
      ) : null}
    </div>
  );
}

interface ActionProps {
  name: string;
  text: string;
  busy: boolean;
  disabled?: boolean;
  main?: boolean;
  onClick: () => void;
  children: ReactNode;
}

function Action({ name, text, busy, disabled, main, onClick, children }: ActionProps) {
  return (
    <Button
      h={44}
      variant={main ? 'light' : 'default'}
      leftSection={children}
      loading={busy}
      disabled={disabled}
      aria-label={t('models.named', { action: text, name })}
      onClick={onClick}
    >
      {text}
    </Button>
  );
}
