import { ActionIcon, Container, Group, Stack, Text } from '@mantine/core';
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';

import { usageQuery } from '@/api/usage';
import { ErrorState } from '@/components/ui/error-state';
import { PageHeader } from '@/components/ui/page-header';
import { PageLoader } from '@/components/ui/plain-states';
import { UsageDays } from '@/features/settings/usage-days';
import { UsageMeters } from '@/features/settings/usage-meters';
import { useTitle } from '@/hooks/use-title';
import { useWorkspace } from '@/hooks/use-workspace';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-workspaces';
import { monthName, monthOf, stepMonth } from '@/lib/month';

export function UsagePage() {
  useTitle(t('usage.title'));
  const navigate = useNavigate();
  const now = monthOf(new Date());
  const { month = now } = useSearch({ from: '/signed-in/settings/settings/usage' });
  const workspace = useWorkspace();
  const id = workspace?.id ?? '';
  const usage = useQuery({ ...usageQuery(id, month), enabled: Boolean(id) });
  const go = (step: 1 | -1) => {
    const next = stepMonth(month, step);
    void navigate({ to: '/settings/usage', search: next === now ? {} : { month: next } });
  };
  return (
    <Container size="sm" px={0} mx={0}>
      <PageHeader title={t('usage.title')}>
        <Group gap={4} wrap="nowrap">
          <ActionIcon
            variant="default"
            size={44}
            aria-label={t('usage.previous')}
            onClick={() => {
              go(-1);
            }}
          >
            <IconChevronLeft size={20} />
          </ActionIcon>
          <Text role="status" miw={140} ta="center" fw={500}>
            {monthName(month)}
          </Text>
          <ActionIcon
            variant="default"
            size={44}
            aria-label={t('usage.next')}
            disabled={month >= now}
            onClick={() => {
              go(1);
            }}
          >
            <IconChevronRight size={20} />
          </ActionIcon>
        </Group>
      </PageHeader>
      {usage.isError && !usage.data ? (
        <ErrorState error={usage.error} onRetry={() => void usage.refetch()} />
      ) : null}
      {usage.isPending ? <PageLoader /> : null}
      {usage.data ? (
        <Stack gap="lg">
          <UsageMeters usage={usage.data} />
          <UsageDays usage={usage.data} />
        </Stack>
      ) : null}
    </Container>
  );
}
