import { ActionIcon, Alert, Anchor, Button, Group, Loader, Text, Title } from '@mantine/core';
import { modals } from '@mantine/modals';
import { IconPencil, IconUsers } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useId } from 'react';

import { optionsQuery } from '@/api/options';
import { jobNaming, type NamingPlace } from '@/api/speech';
import { isActive, type Job, type Speaker, type TranscriptResult } from '@/api/types';
import { MarkedText } from '@/components/ui/marked-text';
import { useSession } from '@/hooks/use-session';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-review';

import { RenameSpeaker, RetrySpeakers } from './speaker-dialogs';
import { colourOf } from './speakers';
import classes from './speakers.module.css';

interface Props {
  job: Job;
  result: TranscriptResult | undefined;
}

export function openRename(place: NamingPlace, speaker: Speaker): void {
  modals.open({
    title: t('speakers.rename', { name: speaker.name }),
    children: (
      <RenameSpeaker
        place={place}
        speaker={speaker}
        onDone={() => {
          modals.closeAll();
        }}
      />
    ),
  });
}

function openRetry(job: Job): void {
  modals.open({
    title: t('speakers.again'),
    children: (
      <RetrySpeakers
        job={job}
        onDone={() => {
          modals.closeAll();
        }}
      />
    ),
  });
}

/** Who speaks: names, and how far telling them apart has come. Nothing where it was not asked for. */
export function SpeakersPanel({ job, result }: Props) {
  const titleId = useId();
  const options = useQuery({ ...optionsQuery, enabled: job.speaker_state === 'unavailable' });
  const able = options.data?.local_speakers ?? true;
  const speakers = result?.speakers ?? [];
  const state = job.speaker_state;
  const asked = job.mode === 'dialogue' || state !== 'none' || speakers.length > 0;
  // While the text itself is being made there is nothing to say of speakers yet.
  const early = isActive(job) && !atSpeakers(job);
  if (!asked || (early && speakers.length === 0)) return null;
  const settled =
    (state === 'done' && cameWithText(speakers, result)) || (state === 'unavailable' && !able);
  const again =
    job.status === 'completed' && state !== 'pending' && !settled ? (
      <Button
        variant="default"
        h={44}
        onClick={() => {
          openRetry(job);
        }}
      >
        {t(state === 'failed' ? 'speakers.tryAgain' : 'speakers.again')}
      </Button>
    ) : null;
  return (
    <section className={`card ${classes.panel ?? ''}`} aria-labelledby={titleId}>
      <Group justify="space-between" gap="xs" mih={44}>
        <Title order={2} id={titleId}>
          {t('speakers.title')}
        </Title>
        {again}
      </Group>
      {early ? null : <StateNote job={job} known={speakers.length} able={able} />}
      {speakers.length > 0 ? (
        <ul className={classes.names}>
          {speakers.map((speaker, index) => (
            <li key={speaker.id} className={classes.name}>
              <span className={classes.dot} style={{ background: colourOf(index) }} />
              <Text span dir="auto" className={classes.text}>
                {speaker.name}
              </Text>
              <ActionIcon
                variant="subtle"
                color="gray"
                size={44}
                disabled={job.status !== 'completed'}
                aria-label={t('speakers.rename', { name: speaker.name })}
                onClick={() => {
                  openRename(jobNaming(job.id), speaker);
                }}
              >
                <IconPencil size={18} />
              </ActionIcon>
            </li>
          ))}
        </ul>
      ) : null}
    </section>
  );
}

/** Whether a running job has all of its text and is at its speakers, or is queued for nothing else. */
function atSpeakers(job: Job): boolean {
  if (job.speaker_state !== 'pending') return false;
  const { planned, committed } = job.windows;
  return (
    job.stage === 'diarizing' || (job.status === 'pending' && planned > 0 && committed === planned)
  );
}

/** The server's own ids of voices that it told apart; channels and providers have others. */
const TOLD_APART = /^S\d+$/;

/** Voices on channels of their own, or from a provider, are known already; where nobody spoke there are none. */
function cameWithText(speakers: readonly Speaker[], result: TranscriptResult | undefined): boolean {
  if (speakers.length === 0) return result?.segments.length === 0;
  return !speakers.every(({ id }) => TOLD_APART.test(id));
}

/** What became of telling the speakers apart, honestly. */
function StateNote({ job, known, able }: { job: Job; known: number; able: boolean }) {
  const { speaker_state: state, speaker_reason: reason } = job;
  if (state === 'pending') {
    return (
      <Group gap="xs" role="status" wrap="nowrap" my="xs">
        <Loader size="xs" aria-hidden="true" />
        <Text size="sm">{t('speakers.pending')}</Text>
      </Group>
    );
  }
  if (state === 'unavailable' || state === 'failed') {
    const failed = state === 'failed';
    return (
      <Alert
        color={failed ? 'red' : 'gray'}
        variant="light"
        icon={<IconUsers />}
        my="xs"
        title={t(failed ? 'speakers.failed' : 'speakers.unavailable')}
      >
        <Text size="sm">
          {reason ? <MarkedText text={reason} /> : null} {t('speakers.textWhole')}
        </Text>
        {able ? null : <Remedy />}
      </Alert>
    );
  }
  if (known > 0) return null;
  return (
    <Text size="sm" c="dimmed" my="xs">
      {t('speakers.none')}
    </Text>
  );
}

/** What can be done on a server that cannot tell voices apart: who may fetch the model is led to it. */
function Remedy() {
  const state = useSession();
  if (state.status === 'signed-in' && state.user.is_admin) {
    return (
      <Anchor component={Link} to="/admin/models" size="sm">
        {t('speakers.openModels')}
      </Anchor>
    );
  }
  return <Text size="sm">{t('speakers.askAdmin')}</Text>;
}
