import { Button, Container, Modal, Text } from '@mantine/core';
import { IconLock, IconPlus, IconWebhook } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { webhooksQuery } from '@/api/webhooks';
import { EmptyState } from '@/components/ui/empty-state';
import { ErrorState } from '@/components/ui/error-state';
import { PageHeader } from '@/components/ui/page-header';
import { PageLoader } from '@/components/ui/plain-states';
import { NewWebhook } from '@/features/settings/new-webhook';
import { WebhookList } from '@/features/settings/webhook-list';
import { useTitle } from '@/hooks/use-title';
import { useWorkspace } from '@/hooks/use-workspace';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-webhooks';
import { isManager } from '@/lib/roles';

export function WebhooksPage() {
  useTitle(t('webhooks.title'));
  const workspace = useWorkspace();
  const id = workspace?.id ?? '';
  const manages = workspace !== null && isManager(workspace.role);
  const found = useQuery({ ...webhooksQuery(id), enabled: manages });
  const [open, setOpen] = useState(false);
  if (workspace && !manages) {
    return (
      <EmptyState
        icon={<IconLock size={30} />}
        title={t('webhooks.onlyManagers')}
        text={t('webhooks.onlyManagersText')}
      />
    );
  }
  if (found.isError && !found.data) {
    return <ErrorState error={found.error} onRetry={() => void found.refetch()} />;
  }
  if (!workspace || !found.data) return <PageLoader />;
  const close = () => {
    setOpen(false);
  };
  return (
    <Container size="sm" px={0} mx={0}>
      <PageHeader title={t('webhooks.title')}>
        <Button
          leftSection={<IconPlus size={18} />}
          onClick={() => {
            setOpen(true);
          }}
        >
          {t('webhooks.new')}
        </Button>
      </PageHeader>
      <section className="card" style={{ padding: 24 }}>
        <Text c="dimmed" size="sm" mb="md">
          {t('webhooks.text', { name: workspace.name })}
        </Text>
        {found.data.items.length ? (
          <WebhookList items={found.data.items} />
        ) : (
          <EmptyState
            icon={<IconWebhook size={30} />}
            title={t('webhooks.empty')}
            text={t('webhooks.emptyText')}
          />
        )}
      </section>
      <Modal
        opened={open}
        onClose={close}
        title={t('webhooks.new')}
        // The secret is shown once: a click beside it must not lose it.
        closeOnClickOutside={false}
        centered
      >
        <NewWebhook workspaceId={id} onDone={close} />
      </Modal>
    </Container>
  );
}
