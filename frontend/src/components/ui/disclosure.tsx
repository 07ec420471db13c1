import { Text } from '@mantine/core';
import type { ReactNode } from 'react';

import classes from './disclosure.module.css';

/** More than most want to know, shown when it is asked for. */
export function Disclosure({ label, children }: { label: string; children: ReactNode }) {
  return (
    <details className={classes.details}>
      <Text component="summary" size="sm" className={classes.summary}>
        {label}
      </Text>
      {children}
    </details>
  );
}
