import { Button, Group, Stack, Text } from '@mantine/core';

import { SecretBox } from '@/components/ui/secret-box';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-webhooks';

/** A secret that was just made: shown once. */
export function WebhookSecret({ secret, onDone }: { secret: string; onDone: () => void }) {
  return (
    <Stack>
      <Text>{t('webhooks.madeText')}</Text>
      <SecretBox value={secret} label={t('webhooks.copySecret')} />
      <Group justify="flex-end">
        <Button onClick={onDone}>{t('webhooks.done')}</Button>
      </Group>
    </Stack>
  );
}
