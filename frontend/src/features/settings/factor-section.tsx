import { Button, Group, Modal, Skeleton, Text, Title } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { disableFactor, factorQuery, renewBackupCodes } from '@/api/account';
import { keys } from '@/api/keys';
import { ErrorState } from '@/components/ui/error-state';
import { notifyDone } from '@/components/ui/notify';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-account';

import { BackupCodes, FactorSetup } from './factor-setup';
import { ProveForm } from './prove-form';

type Open = 'setup' | 'off' | 'renew' | null;

/** The second factor: set up, turned off, backup codes made anew. */
export function FactorSection() {
  const factor = useQuery(factorQuery);
  const cache = useQueryClient();
  const [open, setOpen] = useState<Open>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  const close = () => {
    setOpen(null);
    setCodes(null);
    void cache.invalidateQueries({ queryKey: keys.factor });
  };
  if (factor.isError && !factor.data) {
    return <ErrorState error={factor.error} onRetry={() => void factor.refetch()} />;
  }
  if (!factor.data) return <Skeleton height={150} radius="lg" />;
  const { enabled, backup_codes_left: left } = factor.data;
  return (
    <section className="card" style={{ padding: 24 }}>
      <Title order={2}>{t('factor.title')}</Title>
      <Text c="dimmed" size="sm" mb="md" mt={4}>
        {enabled ? t('factor.on', { count: left }) : t('factor.off')}
      </Text>
      <Group gap="sm">
        {enabled ? (
          <>
            <Button
              variant="default"
              onClick={() => {
                setOpen('renew');
              }}
            >
              {t('factor.renew')}
            </Button>
            <Button
              variant="default"
              onClick={() => {
                setOpen('off');
              }}
            >
              {t('factor.turnOff')}
            </Button>
          </>
        ) : (
          <Button
            onClick={() => {
              setOpen('setup');
            }}
          >
            {t('factor.setUp')}
          </Button>
        )}
      </Group>
      <Modal
        opened={open !== null}
        onClose={close}
        title={t('factor.title')}
        // Backup codes are shown once: a click beside them must not lose them.
        closeOnClickOutside={false}
        centered
      >
        {open === 'setup' ? <FactorSetup onDone={close} /> : null}
        {open === 'off' ? (
          <ProveForm
            withCode
            action={t('factor.turnOff')}
            onCancel={close}
            onSubmit={async (password, code) => {
              await disableFactor(password, code);
              notifyDone(t('factor.offDone'));
              close();
            }}
          />
        ) : null}
        {open === 'renew' && !codes ? (
          <ProveForm
            withCode
            action={t('factor.renew')}
            onCancel={close}
            onSubmit={async (password, code) => {
              setCodes((await renewBackupCodes(password, code)).backup_codes);
            }}
          />
        ) : null}
        {open === 'renew' && codes ? <BackupCodes codes={codes} onDone={close} /> : null}
      </Modal>
    </section>
  );
}
