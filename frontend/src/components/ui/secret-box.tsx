import { Code, Group } from '@mantine/core';

import { CopyButton } from './copy-button';

interface Props {
  value: string;
  /** What the button says. */
  label: string;
}

/** Something that is shown once: in full, and with a button that copies it. */
export function SecretBox({ value, label }: Props) {
  return (
    <>
      <Code block style={{ whiteSpace: 'pre-wrap', wordBreak: 'break-all' }}>
        {value}
      </Code>
      <Group>
        <CopyButton value={value} label={label} />
      </Group>
    </>
  );
}
