import { Container, Text, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useState } from 'react';

import { PageHeader } from '@/components/ui/page-header';
import { LimitsList } from '@/features/admin/limits-list';
import { useDebounced } from '@/hooks/use-debounced';
import { useSession } from '@/hooks/use-session';
import { useTitle } from '@/hooks/use-title';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-server';

import { NotFoundPage } from './states';

/** For administrators; for others this page does not exist. */
export function LimitsPage() {
  const state = useSession();
  const admin = state.status === 'signed-in' && state.user.is_admin;
  const [typed, setTyped] = useState('');
  const q = useDebounced(typed.trim());
  useTitle(t(admin ? 'limits.title' : 'notFound.title'));
  if (!admin) return <NotFoundPage />;
  return (
    <Container size="sm" px={0} mx={0}>
      <PageHeader title={t('limits.title')} />
      <Text c="dimmed" size="sm" mb="md">
        {t('limits.text')}
      </Text>
      <TextInput
        type="search"
        aria-label={t('limits.search')}
        placeholder={t('limits.search')}
        size="md"
        mb="md"
        leftSection={<IconSearch size={18} />}
        value={typed}
        onChange={(event) => {
          setTyped(event.currentTarget.value);
        }}
      />
      <LimitsList q={q} />
    </Container>
  );
}
