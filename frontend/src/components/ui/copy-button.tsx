import { Button } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useState } from 'react';

import { copyText } from '@/lib/download';
import { t } from '@/lib/i18n';

interface Props {
  value: string;
  /** What the button says until it has copied. */
  label: string;
}

export function CopyButton({ value, label }: Props) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    setCopied(await copyText(value));
  };
  return (
    <Button
      variant="default"
      leftSection={copied ? <IconCheck size={18} /> : <IconCopy size={18} />}
      onClick={() => void copy()}
    >
      {copied ? t('action.copied') : label}
    </Button>
  );
}
