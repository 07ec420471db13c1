import { Code, List, Text } from '@mantine/core';
import {
  IconAlertTriangle,
  IconCircleCheck,
  IconExclamationCircle,
  IconPoint,
  IconUser,
} from '@tabler/icons-react';

import type { HistoryItem } from '@/api/types';
import { MarkedText } from '@/components/ui/marked-text';
import { momentOf } from '@/lib/format';
import { historyText, historyTone } from '@/lib/history-text';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-history';

import classes from './history.module.css';

const SIGNS = {
  good: IconCircleCheck,
  bad: IconExclamationCircle,
  doubt: IconAlertTriangle,
  person: IconUser,
  plain: IconPoint,
} as const;

export function HistoryEntry({ entry }: { entry: HistoryItem }) {
  const tone = historyTone(entry);
  const Sign = SIGNS[tone];
  return (
    <li className={classes.entry} data-tone={tone} data-kind={entry.kind}>
      <Sign size={18} aria-hidden="true" className={classes.sign} />
      <div className={classes.said}>
        <Text size="sm">
          <MarkedText text={historyText(entry)} />
        </Text>
        <Details entry={entry} />
      </div>
      <time dateTime={entry.at} className={`tabular ${classes.time ?? ''}`}>
        {momentOf(entry.at)}
      </time>
    </li>
  );
}

/** What the kind has besides its sentence. */
function Details({ entry }: { entry: HistoryItem }) {
  return (
    <>
      {entry.title ? (
        <Text size="sm" c="dimmed" dir="auto">
          {entry.title}
        </Text>
      ) : null}
      {entry.message ? (
        <Text size="sm" c="dimmed">
          <MarkedText text={entry.message} /> {entry.code ? <Code>{entry.code}</Code> : null}
        </Text>
      ) : null}
      {entry.kind === 'failed' && entry.window != null ? (
        <Text size="sm" c="dimmed">
          {t('history.failedPart', { part: entry.window + 1 })}
        </Text>
      ) : null}
      {entry.reasons && entry.reasons.length > 0 ? (
        <details>
          <Text component="summary" size="sm" className={classes.summary}>
            {t('history.why')}
          </Text>
          <List size="sm">
            {entry.reasons.map((reason) => (
              <List.Item key={reason}>
                <MarkedText text={reason} />
              </List.Item>
            ))}
          </List>
        </details>
      ) : null}
    </>
  );
}
