import { Button, Divider } from '@mantine/core';

import { startHref } from '@/api/oidc';
import { useOptions } from '@/api/options';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-oidc';

/** Off to the provider, where the operator has configured one. */
export function ProviderButton({ next }: { next: string }) {
  const provider = useOptions().data?.oidc;
  if (!provider) return null;
  return (
    <>
      <Divider label={t('oidc.or')} labelPosition="center" my="md" />
      <Button component="a" href={startHref(next)} variant="default" size="md" fullWidth>
        {t('oidc.continue', { name: provider.name })}
      </Button>
    </>
  );
}
