import { Container, Stack, Text, Title } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useState } from 'react';

import { session } from '@/api/session';
import { PageHeader } from '@/components/ui/page-header';
import { DevicesSection } from '@/features/settings/devices-section';
import { FactorSection } from '@/features/settings/factor-section';
import { LeaveSection } from '@/features/settings/leave-section';
import { PasswordForm } from '@/features/settings/password-form';
import { ProviderSection } from '@/features/settings/provider-section';
import { useTitle } from '@/hooks/use-title';
import { exportAccount } from '@/api/export-account';
import { notifyError } from '@/components/ui/notify';
import { t } from '@/lib/i18n';

export function SecurityPage() {
  useTitle(t('security.title'));
  const email = session.user?.email ?? '';
  const { oidc } = useSearch({ from: '/signed-in/settings/settings/security' });
  const navigate = useNavigate();
  const [result] = useState(oidc);
  useEffect(() => {
    // Told once: neither a reload nor a later sign-in that leads here says it again.
    if (oidc) void navigate({ to: '/settings/security', search: {}, replace: true });
  }, [oidc, navigate]);
  return (
    <Container size="xs" px={0} mx={0}>
      <PageHeader title={t('security.title')} />
      <Stack gap="lg">
        <section className="card" style={{ padding: 24 }}>
          <Title order={2}>{t('security.heading')}</Title>
          <Text c="dimmed" size="sm" mb="md" mt={4}>
            {t('security.signedInAs', { email })}. {t('security.text')}
          </Text>
          <PasswordForm email={email} />
        </section>
        <FactorSection />
        <ProviderSection result={result} />
        <DevicesSection />
        <LeaveSection
          onExport={() => {
            exportAccount().catch((error: unknown) => {
              notifyError(error);
            });
          }}
        />
      </Stack>
    </Container>
  );
}
