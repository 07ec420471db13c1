import { Container, Stack, Title } from '@mantine/core';
import { IconArrowLeft } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';

import { webhookQuery } from '@/api/webhooks';
import { ErrorState } from '@/components/ui/error-state';
import { LinkAnchor } from '@/components/ui/link-anchor';
import { PageLoader } from '@/components/ui/plain-states';
import { DeliveryLog } from '@/features/settings/delivery-log';
import { WebhookCard } from '@/features/settings/webhook-card';
import { titleOf } from '@/features/settings/webhook-text';
import { useTitle } from '@/hooks/use-title';
import { useWorkspace } from '@/hooks/use-workspace';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-webhooks';

export function WebhookPage() {
  const { webhookId } = useParams({ from: '/signed-in/settings/settings/webhooks/$webhookId' });
  const navigate = useNavigate();
  const workspace = useWorkspace();
  const found = useQuery(webhookQuery(webhookId));
  useTitle(found.data ? titleOf(found.data) : t('webhooks.title'));
  if (found.isError && !found.data) {
    return <ErrorState error={found.error} onRetry={() => void found.refetch()} />;
  }
  if (!workspace || !found.data) return <PageLoader />;
  const webhook = found.data;
  return (
    <Container size="sm" px={0} mx={0}>
      <LinkAnchor to="/settings/webhooks" size="sm">
        <IconArrowLeft size={14} aria-hidden="true" /> {t('webhooks.back')}
      </LinkAnchor>
      <Title order={1} mt={4} mb="sm">
        {titleOf(webhook)}
      </Title>
      <Stack gap="xl">
        <div>
          <WebhookCard
            workspaceId={workspace.id}
            webhook={webhook}
            onDeleted={() => void navigate({ to: '/settings/webhooks' })}
          />
        </div>
        <DeliveryLog workspaceId={workspace.id} webhookId={webhook.id} enabled={webhook.enabled} />
      </Stack>
    </Container>
  );
}
