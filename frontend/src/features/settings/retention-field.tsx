import { Text, TextInput } from '@mantine/core';
import type { ReactNode } from 'react';

import { t } from '@/lib/i18n';
import '@/lib/i18n/en-workspaces';

interface Props {
  label: string;
  description: string;
  /** In days; null: for ever. */
  value: number | null;
  error: ReactNode;
  readOnly: boolean;
  onChange: (days: number | null) => void;
}

/** After how many days something goes by itself. */
export function RetentionField({ label, description, value, error, readOnly, onChange }: Props) {
  return (
    <TextInput
      label={label}
      description={description}
      size="md"
      inputMode="numeric"
      autoComplete="off"
      maxLength={5}
      maw={320}
      rightSectionWidth={56}
      rightSection={<Text size="sm">{t('workspace.days')}</Text>}
      value={value ?? ''}
      error={error}
      readOnly={readOnly}
      onChange={(event) => {
        const digits = event.currentTarget.value.replace(/\D/g, '');
        onChange(digits ? Number(digits) : null);
      }}
    />
  );
}
