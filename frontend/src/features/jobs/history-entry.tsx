import { Code, List, Text } from '@mantine/core';
import {
  IconAlertTriangle,
  IconCircleCheck,
  IconExclamationCircle,
  IconPoint,
  IconUser,
} from '@tabler/icons-react';

import type { HistoryItem } from '@/api/types';
import { Disclosure } from '@/components/ui/disclosure';
import { MarkedText } from '@/components/ui/marked-text';
import { momentOf } from '@/lib/format';
import { historyText, historyTone, unnamedWindow } from '@/lib/history-text';
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

interface Props {
  entry: HistoryItem;
  /** What it says stands elsewhere already, so that its sentence is enough. */
  told: boolean;
}

export function HistoryEntry({ entry, told }: Props) {
  const tone = historyTone(entry);
  const Sign = SIGNS[tone];
  return (
    <li className={classes.entry} data-tone={tone} data-kind={entry.kind}>
      <Sign size={18} aria-hidden="true" className={classes.sign} />
      <div className={classes.said}>
        <Text size="sm">
          <MarkedText text={historyText(entry)} />
        </Text>
        {told ? null : <Details entry={entry} />}
      </div>
      <time dateTime={entry.at} className={`tabular ${classes.time ?? ''}`}>
        {momentOf(entry.at)}
      </time>
    </li>
  );
}

/** What the kind has besides its sentence. */
function Details({ entry }: { entry: HistoryItem }) {
  const window = entry.kind === 'failed' ? unnamedWindow(entry) : null;
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
      {window === null ? null : (
        <Text size="sm" c="dimmed">
          {t('history.failedWindow', { window })}
        </Text>
      )}
      {entry.reasons && entry.reasons.length > 0 ? (
        <Disclosure label={t('history.why')}>
          <List size="sm">
            {entry.reasons.map((reason) => (
              <List.Item key={reason}>
                <MarkedText text={reason} />
              </List.Item>
            ))}
          </List>
        </Disclosure>
      ) : null}
    </>
  );
}
