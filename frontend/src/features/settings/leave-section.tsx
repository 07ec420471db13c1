import { Button, Group, Modal, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { deleteAccount, factorQuery } from '@/api/account';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-account';

import { ProveForm } from './prove-form';

/** The account's data to take along, and the way out. */
export function LeaveSection({ onExport }: { onExport: () => void }) {
  const withCode = useQuery(factorQuery).data?.enabled ?? false;
  const [open, setOpen] = useState(false);
  return (
    <section className="card" style={{ padding: 24 }}>
      <Title order={2}>{t('account.dangerTitle')}</Title>
      <Text c="dimmed" size="sm" mb="md" mt={4}>
        {t('account.dangerText')}
      </Text>
      <Group gap="sm">
        <Button variant="default" onClick={onExport}>
          {t('account.export')}
        </Button>
        <Button
          variant="light"
          color="red"
          onClick={() => {
            setOpen(true);
          }}
        >
          {t('account.delete')}
        </Button>
      </Group>
      <Modal
        opened={open}
        onClose={() => {
          setOpen(false);
        }}
        title={t('account.dangerTitle')}
        centered
      >
        <ProveForm
          danger
          withCode={withCode}
          text={t('account.dangerText')}
          action={t('account.deleteConfirm')}
          onSubmit={deleteAccount}
          onCancel={() => {
            setOpen(false);
          }}
        />
      </Modal>
    </section>
  );
}
