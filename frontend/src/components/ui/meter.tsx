import { Progress, Text } from '@mantine/core';
import { useId } from 'react';

import { t } from '@/lib/i18n';
import '@/lib/i18n/en-workspaces';

interface Props {
  label: string;
  used: number;
  /** Null: none. */
  limit: number | null;
  /** How figures are said. */
  say: (value: number) => string;
  note?: string | undefined;
}

/** Above this share a limit is near. */
const NEAR = 0.9;

/** A figure against its limit; without one the figure alone. */
export function Meter({ label, used, limit, say, note }: Props) {
  const labelId = useId();
  const share = limit === null ? 0 : limit === 0 ? 1 : Math.min(1, used / limit);
  const full = limit !== null && used >= limit;
  const warning = full ? t('usage.full') : share >= NEAR ? t('usage.near') : null;
  return (
    <div>
      <Text id={labelId} fw={500}>
        {label}
      </Text>
      <Text size="sm" c="dimmed" className="tabular">
        {limit === null
          ? t('usage.unlimited', { used: say(used) })
          : t('usage.of', { used: say(used), limit: say(limit) })}
        {note ? ` · ${note}` : ''}
      </Text>
      {limit === null ? null : (
        <Progress.Root size="sm" mt={6}>
          <Progress.Section
            value={Math.round(share * 100)}
            color={full ? 'red' : warning ? 'orange' : undefined}
            aria-labelledby={labelId}
          />
        </Progress.Root>
      )}
      {warning ? (
        <Text size="sm" mt={4} c={full ? 'var(--mantine-color-error)' : undefined}>
          {warning}
        </Text>
      ) : null}
    </div>
  );
}
