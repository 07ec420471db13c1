import { Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';

import { LogoMark } from '@/components/ui/logo';
import { t } from '@/lib/i18n';

import classes from './auth-card.module.css';

interface Props {
  title: string;
  text?: string;
  children: ReactNode;
}

export function AuthCard({ title, text, children }: Props) {
  return (
    <main className={classes.page} id="content">
      <Stack align="center" gap="xs" mb="lg">
        <LogoMark size={48} />
        <Text fw={700} fz={22}>
          {t('app.name')}
        </Text>
        <Text c="dimmed" ta="center">
          {t('app.tagline')}
        </Text>
      </Stack>
      <div className={`card ${classes.card ?? ''}`}>
        <Title order={1} fz={20} mb={text ? 4 : 'md'}>
          {title}
        </Title>
        {text ? (
          <Text c="dimmed" size="sm" mb="md">
            {text}
          </Text>
        ) : null}
        {children}
      </div>
    </main>
  );
}
