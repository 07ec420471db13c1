import { Code, Stack, Text } from '@mantine/core';

import type { Job } from '@/api/types';
import { unnamedWindow } from '@/lib/history-text';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-history';

import { CopyButton } from './copy-button';
import { Disclosure } from './disclosure';
import classes from './failure-details.module.css';
import { MarkedText } from './marked-text';

/** What the server says of a failure besides its message: where, what to do, the code and the engine's last words. */
export function FailureDetails({ error }: { error: NonNullable<Job['error']> }) {
  const { code, advice, log_tail: log } = error;
  const window = unnamedWindow(error);
  return (
    <>
      {window === null ? null : <Text size="sm">{t('history.failedWindow', { window })}</Text>}
      {advice ? (
        <Text size="sm">
          <b>{t('history.advice')}:</b> <MarkedText text={advice} />
        </Text>
      ) : null}
      <Text size="sm">
        {t('history.code')}: <Code>{code}</Code>
      </Text>
      {log ? (
        <Disclosure label={t('history.log')}>
          <Stack gap="xs" align="flex-start">
            <Code block className={classes.log} dir="ltr">
              {log}
            </Code>
            <CopyButton value={log} label={t('history.copyLog')} />
          </Stack>
        </Disclosure>
      ) : null}
    </>
  );
}
