import { Button, Container, Modal, Text } from '@mantine/core';
import { IconKey, IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { apiKeysQuery } from '@/api/members';
import { EmptyState } from '@/components/ui/empty-state';
import { ErrorState } from '@/components/ui/error-state';
import { PageHeader } from '@/components/ui/page-header';
import { PageLoader } from '@/components/ui/plain-states';
import { KeyList } from '@/features/settings/key-list';
import { NewKeyForm } from '@/features/settings/new-key-form';
import { useTitle } from '@/hooks/use-title';
import { useWorkspace } from '@/hooks/use-workspace';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-account';

export function KeysPage() {
  useTitle(t('apiKeys.title'));
  const workspace = useWorkspace();
  const id = workspace?.id ?? '';
  const found = useQuery({ ...apiKeysQuery(id), enabled: Boolean(id) });
  const [open, setOpen] = useState(false);
  if (found.isError) {
    return <ErrorState error={found.error} onRetry={() => void found.refetch()} />;
  }
  if (!workspace || !found.data) return <PageLoader />;
  return (
    <Container size="sm" px={0} mx={0}>
      <PageHeader title={t('apiKeys.title')}>
        <Button
          leftSection={<IconPlus size={18} />}
          onClick={() => {
            setOpen(true);
          }}
        >
          {t('apiKeys.new')}
        </Button>
      </PageHeader>
      <section className="card" style={{ padding: 24 }}>
        <Text c="dimmed" size="sm" mb="md">
          {t('apiKeys.text', { name: workspace.name })}
        </Text>
        {found.data.items.length ? (
          <KeyList workspaceId={id} items={found.data.items} />
        ) : (
          <EmptyState
            icon={<IconKey size={30} />}
            title={t('apiKeys.empty')}
            text={t('apiKeys.emptyText')}
          />
        )}
      </section>
      <Modal
        opened={open}
        onClose={() => {
          setOpen(false);
        }}
        title={t('apiKeys.new')}
        // The key is shown once: a click beside it must not lose it.
        closeOnClickOutside={false}
        centered
      >
        <NewKeyForm
          workspaceId={id}
          onDone={() => {
            setOpen(false);
          }}
        />
      </Modal>
    </Container>
  );
}
