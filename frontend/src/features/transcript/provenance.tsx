import { Anchor, Button, List, Popover, Stack, Text } from '@mantine/core';
import { IconCopyCheck, IconInfoCircle } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';

import { jobQuery } from '@/api/jobs';
import { isActive, type Job, type TranscriptResult } from '@/api/types';
import { LinkAnchor } from '@/components/ui/link-anchor';
import { MarkedText } from '@/components/ui/marked-text';
import { clock, duration, fullDate, speed } from '@/lib/format';
import { t, tn } from '@/lib/i18n';
import '@/lib/i18n/en-review';
import { engineName } from '@/lib/job-text';

import { originOf } from './model';
import classes from './provenance.module.css';

interface Props {
  job: Job;
  result: TranscriptResult | undefined;
  languageName: (code: string) => string;
  onRunAgain: () => void;
}

/** Which engine, model and language made the text, and how to try another. */
export function Provenance({ job, result, languageName, onRunAgain }: Props) {
  const origin = originOf(job, result);
  const [open, setOpen] = useState(false);
  const own = !result?.previous;
  const ended = job.status === 'failed' || job.status === 'cancelled';
  // Of a job that ended without text there is nothing to tell.
  const made = origin.engine && (!ended || Boolean(result?.segments.length));
  const language = result?.language ?? job.language;
  const heard =
    language && language !== 'auto' && language !== 'mixed' ? languageName(language) : null;
  return (
    <>
      <div className={`tabular ${classes.line ?? ''}`}>
        {job.duration_ms == null ? null : <span>{clock(job.duration_ms)}</span>}
        {heard ? <span>{heard}</span> : null}
        {own && job.requested_language === 'mixed' ? <span>{t('options.mixed')}</span> : null}
        {own && job.translate ? <span>{t('made.translated')}</span> : null}
        {origin.engine ? <span>{engineName(origin.engine, origin.model)}</span> : null}
        {own && job.vocabulary.length > 0 ? (
          <span>{tn('made.terms', job.vocabulary.length)}</span>
        ) : null}
        <time dateTime={job.created_at}>{fullDate(job.created_at)}</time>
        {made ? (
          <Popover
            width={340}
            position="bottom-start"
            shadow="md"
            trapFocus
            returnFocus
            opened={open}
            onChange={setOpen}
          >
            <Popover.Target>
              <Anchor
                component="button"
                type="button"
                className={classes.more}
                onClick={() => {
                  setOpen(!open);
                }}
              >
                <IconInfoCircle size={16} aria-hidden="true" /> {t('made.open')}
              </Anchor>
            </Popover.Target>
            <Popover.Dropdown aria-label={t('made.open')}>
              <Details
                job={job}
                result={result}
                heard={heard}
                onRunAgain={() => {
                  setOpen(false);
                  onRunAgain();
                }}
              />
            </Popover.Dropdown>
          </Popover>
        ) : null}
      </div>
      {job.cached_from && own && job.status === 'completed' ? (
        <Cached from={job.cached_from} onRunAgain={onRunAgain} />
      ) : null}
    </>
  );
}

interface DetailsProps extends Omit<Props, 'languageName'> {
  heard: string | null;
}

function Details({ job, result, heard, onRunAgain }: DetailsProps) {
  const origin = originOf(job, result);
  const own = !result?.previous;
  const rows: [string, ReactNode][] = [
    [t('transcript.engine'), engineName(origin.engine)],
    ...(origin.model ? [row('made.model', origin.model)] : []),
    ...(heard ? [row('transcript.language', heard)] : []),
    ...(own ? choiceRows(job) : []),
    ...(own ? timeRows(job) : []),
  ];
  return (
    <Stack gap="sm">
      <dl className={classes.facts}>
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd dir="auto">{value}</dd>
          </div>
        ))}
      </dl>
      {origin.reasons.length > 0 ? (
        <div>
          <Text size="sm" fw={600}>
            {t('transcript.lowWhy')}
          </Text>
          <List size="sm" mt={4}>
            {origin.reasons.map((reason) => (
              <List.Item key={reason}>
                <MarkedText text={reason} />
              </List.Item>
            ))}
          </List>
        </div>
      ) : null}
      {isActive(job) ? null : (
        <Button variant="light" h={44} onClick={onRunAgain}>
          {t('made.another')}
        </Button>
      )}
    </Stack>
  );
}

type NameKey = 'made.model' | 'transcript.language';

function row(name: NameKey, value: string): [string, ReactNode] {
  return [t(name), value];
}

function choiceRows(job: Job): [string, ReactNode][] {
  return [
    ...(job.translate ? [[t('made.translation'), t('made.toEnglish')] as [string, string]] : []),
    ...(job.vocabulary.length > 0
      ? [[t('options.vocabulary'), job.vocabulary.join(', ')] as [string, string]]
      : []),
    ...(job.prompt ? [[t('options.prompt'), job.prompt] as [string, string]] : []),
    ...(job.vad === 'off' ? [[t('options.vad'), t('made.off')] as [string, string]] : []),
  ];
}

function timeRows(job: Job): [string, ReactNode][] {
  if (job.processing_time_ms == null || job.cached_from) return [];
  const factor = job.real_time_factor
    ? ` (${t('transcript.details', { speed: speed(job.real_time_factor) })})`
    : '';
  return [[t('made.time'), `${duration(job.processing_time_ms)}${factor}`]];
}

/** The text of the same bytes was there already. */
function Cached({ from, onRunAgain }: { from: string; onRunAgain: () => void }) {
  const source = useQuery({ ...jobQuery(from), retry: false });
  const name = source.data?.filename;
  return (
    <p className={classes.cached}>
      <IconCopyCheck size={18} aria-hidden="true" />
      <span>
        {t('made.cachedBefore')}{' '}
        {name ? (
          <LinkAnchor to="/t/$jobId" params={{ jobId: from } as never} underline="always" inherit>
            {t('made.quoted', { name })}
          </LinkAnchor>
        ) : (
          t('made.cachedUnknown')
        )}
        {t('made.cachedAfter')}{' '}
        <Anchor component="button" type="button" inherit underline="always" onClick={onRunAgain}>
          {t('made.anew')}
        </Anchor>
      </span>
    </p>
  );
}
