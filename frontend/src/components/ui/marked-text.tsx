import { Code } from '@mantine/core';

import { codeParts } from '@/lib/code-parts';

/** A sentence whose `parts between backticks` are set as code. Text nodes only, never HTML. */
export function MarkedText({ text }: { text: string }) {
  return codeParts(text).map((part, index) =>
    part.code ? <Code key={index}>{part.text}</Code> : part.text,
  );
}
