import type { ReactNode } from 'react';

import { errorText } from '@/lib/error-text';

import { MarkedText } from './marked-text';

/** What to show at a field that the server refused: its sentence, commands set as code. */
export function fieldError(error: unknown): ReactNode {
  return <MarkedText text={errorText(error)} />;
}
