import { ActionIcon, Group, Text } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useState } from 'react';

import { copyText } from '@/lib/download';
import { t } from '@/lib/i18n';

/** A short id with a copy button, for support. */
export function CopyField({ label, value }: { label: string; value: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    setCopied(await copyText(value));
    setTimeout(() => {
      setCopied(false);
    }, 2000);
  };
  const name = copied ? t('action.copied') : `${t('action.copy')}: ${label}`;
  return (
    <Group gap={4} wrap="nowrap">
      <Text size="xs" c="dimmed" className="tabular">
        {label}: {value}
      </Text>
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label={name}
        title={name}
        onClick={() => void copy()}
      >
        {copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
      </ActionIcon>
    </Group>
  );
}
