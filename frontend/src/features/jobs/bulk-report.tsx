import { List, Stack, Text } from '@mantine/core';
import { modals } from '@mantine/modals';

import type { BulkAction, BulkItem } from '@/api/types';
import { notifyDone } from '@/components/ui/notify';
import { errorText } from '@/lib/error-text';
import { t, tn } from '@/lib/i18n';

import { refusalsOf } from './bulk-plan';

const NAMED = 100; // more names than this help nobody; their number is told

export interface BulkOutcome {
  action: BulkAction;
  items: readonly BulkItem[];
  /** Why it broke off, if it did. */
  error: unknown;
}

/** Says what was done, and of everything else why not. */
export function reportBulk({ action, items, error }: BulkOutcome): void {
  const done = items.filter((item) => item.outcome === 'done').length;
  if (done > 0) notifyDone(tn(`bulk.done.${action}`, done));
  if (done === items.length && error === null) return;
  modals.open({ title: t('bulk.reportTitle'), children: <Report items={items} error={error} /> });
}

function Report({ items, error }: Omit<BulkOutcome, 'action'>) {
  return (
    <Stack gap="md">
      {error === null ? null : (
        <Text role="alert">{t('bulk.brokeOff', { message: errorText(error) })}</Text>
      )}
      {refusalsOf(items).map((group) => (
        <section key={group.message}>
          <Text fw={600} size="sm">
            {tn('bulk.refused', group.items.length)} {group.message}
          </Text>
          <List size="sm" mt={4}>
            {group.items.slice(0, NAMED).map((item) => (
              <List.Item key={item.id}>
                <span dir="auto">{item.filename ?? t('bulk.unknown')}</span>
              </List.Item>
            ))}
          </List>
          {group.items.length > NAMED ? (
            <Text size="sm">{tn('bulk.reportRest', group.items.length - NAMED)}</Text>
          ) : null}
        </section>
      ))}
    </Stack>
  );
}
