import { useCreateWebhook } from '@/api/webhooks';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-webhooks';

import { WebhookForm } from './webhook-form';
import { WebhookSecret } from './webhook-secret';

/** A new webhook; its secret is shown once, at the end. */
export function NewWebhook({ workspaceId, onDone }: { workspaceId: string; onDone: () => void }) {
  const create = useCreateWebhook(workspaceId);
  if (create.data?.secret) return <WebhookSecret secret={create.data.secret} onDone={onDone} />;
  return (
    <WebhookForm
      label={t('webhooks.create')}
      pending={create.isPending}
      onCancel={onDone}
      onSubmit={(fields, refused) => {
        create.mutate(fields, { onError: refused });
      }}
    />
  );
}
