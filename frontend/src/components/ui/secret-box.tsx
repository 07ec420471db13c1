import { Button, Code, Group } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useState } from 'react';

import { copyText } from '@/lib/download';
import { t } from '@/lib/i18n';

interface Props {
  value: string;
  /** What the button says. */
  label: string;
}

/** Something that is shown once: in full, and with a button that copies it. */
export function SecretBox({ value, label }: Props) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    setCopied(await copyText(value));
  };
  return (
    <>
      <Code block style={{ whiteSpace: 'pre-wrap', wordBreak: 'break-all' }}>
        {value}
      </Code>
      <Group>
        <Button
          variant="default"
          leftSection={copied ? <IconCheck size={18} /> : <IconCopy size={18} />}
          onClick={() => void copy()}
        >
          {copied ? t('action.copied') : label}
        </Button>
      </Group>
    </>
  );
}
