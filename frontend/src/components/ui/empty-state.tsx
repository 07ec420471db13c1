import { Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';

import classes from './states.module.css';

interface Props {
  icon: ReactNode;
  title: string;
  text?: ReactNode;
  children?: ReactNode;
  /** Announce to screen readers when it replaces content. */
  live?: boolean;
}

export function EmptyState({ icon, title, text, children, live }: Props) {
  return (
    <Stack align="center" gap="xs" py={48} px="md" role={live ? 'status' : undefined}>
      <div className={classes.icon} aria-hidden="true">
        {icon}
      </div>
      <Title order={2} ta="center">
        {title}
      </Title>
      {text ? (
        <Text c="dimmed" ta="center" maw={440}>
          {text}
        </Text>
      ) : null}
      {children}
    </Stack>
  );
}
