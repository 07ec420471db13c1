import { Alert, Button, Code, Group, List, Stack, Text } from '@mantine/core';
import { IconAlertTriangle, IconExclamationCircle } from '@tabler/icons-react';

import type { Job, TranscriptResult } from '@/api/types';
import { CopyField } from '@/components/ui/copy-field';
import { FailureDetails } from '@/components/ui/failure-details';
import { MarkedText } from '@/components/ui/marked-text';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-review';
import { engineName } from '@/lib/job-text';

import { originOf } from './model';

interface Props {
  job: Job;
  result: TranscriptResult | undefined;
  /** The operator's command that fetches the real model. */
  command: string;
  onRetry: () => void;
  onRunAgain: () => void;
  /** Listens to all gaps again; undefined where there is none or the job cannot now. */
  onListen: (() => void) | undefined;
  listening: boolean;
}

/** What a reader must know before trusting the text. */
export function Notices(props: Props) {
  const { job, result, command, onRetry, onRunAgain, onListen, listening } = props;
  const origin = originOf(job, result);
  const hasText = Boolean(result?.segments.length);
  // These two are told at their own place.
  const told = ['low_accuracy', ...(speakersTold(job) ? ['no_speakers'] : [])];
  const warnings = origin.warnings.filter((warning) => !told.includes(warning.code));
  // The same model would refuse the same language again.
  const vain = job.error?.code === 'language_unsupported';
  const ended = job.status === 'failed' || job.status === 'cancelled';
  return (
    <Stack gap="sm" mt="md">
      {ended ? (
        <Alert
          color={job.status === 'failed' ? 'red' : 'gray'}
          variant="light"
          icon={<IconExclamationCircle />}
          title={
            job.status === 'failed' ? t('transcript.failedTitle') : t('transcript.cancelledTitle')
          }
        >
          <Stack gap="xs" align="flex-start">
            {job.error ? (
              <Text size="sm">
                <MarkedText text={job.error.message} />
              </Text>
            ) : null}
            {job.error ? <FailureDetails error={job.error} /> : null}
            {hasText ? (
              <Text size="sm">
                {result?.complete ? t('transcript.earlierKept') : t('transcript.partial')}
              </Text>
            ) : null}
            <Group gap="xs">
              {vain ? null : (
                <Button size="sm" onClick={onRetry}>
                  {t('job.retry')}
                </Button>
              )}
              <Button size="sm" variant={vain ? 'filled' : 'default'} onClick={onRunAgain}>
                {t('job.runAgain')}
              </Button>
            </Group>
            <CopyField label={t('error.jobId')} value={job.id} />
          </Stack>
        </Alert>
      ) : null}
      {origin.lowAccuracy ? (
        <Alert
          color="orange"
          variant="light"
          icon={<IconAlertTriangle />}
          title={t('transcript.lowTitle')}
        >
          <Stack gap="xs" align="flex-start">
            <Text size="sm">
              {t('transcript.lowText', { engine: engineName(origin.engine) })}{' '}
              <Code>{command}</Code> {t('transcript.lowThen')}
            </Text>
            {origin.reasons.length > 0 ? (
              <Text size="sm" component="details">
                <summary style={{ cursor: 'pointer', paddingBlock: 4 }}>
                  {t('transcript.lowWhy')}
                </summary>
                <List size="sm" mt={4}>
                  {origin.reasons.map((reason) => (
                    <List.Item key={reason}>
                      <MarkedText text={reason} />
                    </List.Item>
                  ))}
                </List>
              </Text>
            ) : null}
            {job.status === 'completed' ? (
              <Button
                size="sm"
                h="auto"
                mih={36}
                py={6}
                maw="100%"
                styles={{ label: { whiteSpace: 'normal' } }}
                onClick={onRunAgain}
              >
                {t('job.runAgainReal')}
              </Button>
            ) : null}
          </Stack>
        </Alert>
      ) : null}
      {warnings.length > 0 ? (
        <Alert
          color="yellow"
          variant="light"
          icon={<IconAlertTriangle />}
          title={t('transcript.warnings')}
        >
          <List size="sm">
            {warnings.map((warning) => (
              <List.Item key={warning.code}>
                <MarkedText text={warning.message} />
              </List.Item>
            ))}
          </List>
          <WarningAction
            codes={warnings.map((warning) => warning.code)}
            done={job.status === 'completed'}
            onRunAgain={onRunAgain}
            onListen={onListen}
            busy={listening}
          />
        </Alert>
      ) : null}
    </Stack>
  );
}

/** Whether the panel of speakers says why there are none. */
function speakersTold(job: Job): boolean {
  return job.speaker_state === 'unavailable' || job.speaker_state === 'failed';
}

interface ActionProps {
  codes: readonly string[];
  done: boolean;
  onRunAgain: () => void;
  onListen: (() => void) | undefined;
  busy: boolean;
}

/** What can be done about a warning, where something can. */
function WarningAction({ codes, done, onRunAgain, onListen, busy }: ActionProps) {
  if (!done) return null;
  const listen = codes.includes('gaps') && onListen;
  const another = codes.includes('no_speakers') || codes.includes('no_speech');
  if (!listen && !another) return null;
  return (
    <Group gap="xs" mt="xs">
      {listen ? (
        <Button size="sm" variant="default" loading={busy} onClick={listen}>
          {t('review.listenAll')}
        </Button>
      ) : null}
      {another ? (
        <Button size="sm" variant="default" onClick={onRunAgain}>
          {t('job.runAgain')}
        </Button>
      ) : null}
    </Group>
  );
}
