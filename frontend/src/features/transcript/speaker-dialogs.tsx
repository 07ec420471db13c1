import { Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { useState, type ReactNode, type SubmitEvent } from 'react';

import { useNameSpeaker, useRetrySpeakers, type NamingPlace } from '@/api/speech';
import type { Job, Speaker } from '@/api/types';
import { fieldError } from '@/components/ui/field-error';
import { notifyDone, notifyError } from '@/components/ui/notify';
import { SpeakerCountFields } from '@/components/ui/speaker-count';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-review';

interface RenameProps {
  place: NamingPlace;
  speaker: Speaker;
  onDone: () => void;
}

/** A speaker's name. The text shows it at once; a refusal takes it back. */
export function RenameSpeaker({ place, speaker, onDone }: RenameProps) {
  const naming = useNameSpeaker(place, (error) => {
    notifyError(error, t('speakers.renameFailed'));
  });
  const [name, setName] = useState(speaker.name === speaker.label ? '' : speaker.name);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    onDone();
    naming.mutate({ speaker: speaker.id, name: name.trim() });
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput
          label={t('field.name')}
          description={t('speakers.nameHint', { label: speaker.label })}
          placeholder={speaker.label}
          size="md"
          maxLength={100}
          autoComplete="off"
          data-autofocus
          value={name}
          onChange={(event) => {
            setName(event.currentTarget.value);
          }}
        />
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={onDone}>
            {t('action.cancel')}
          </Button>
          <Button type="submit">{t('action.save')}</Button>
        </Group>
      </Stack>
    </form>
  );
}

/** Telling speakers apart once more; the words stay as they are. */
export function RetrySpeakers({ job, onDone }: { job: Job; onDone: () => void }) {
  const retry = useRetrySpeakers(job.id);
  const [speakers, setSpeakers] = useState(job.speakers);
  const [atMost, setAtMost] = useState(job.max_speakers);
  const [error, setError] = useState<ReactNode>(null);
  const submit = () => {
    retry.mutate(
      { speakers, max_speakers: speakers === null ? atMost : null },
      {
        onSuccess: () => {
          notifyDone(t('speakers.started'));
          onDone();
        },
        onError: (failure) => {
          setError(fieldError(failure));
        },
      },
    );
  };
  return (
    <Stack>
      <Text>{t('speakers.againText')}</Text>
      <SpeakerCountFields
        speakers={speakers}
        atMost={atMost}
        onSpeakers={setSpeakers}
        onAtMost={setAtMost}
        error={error}
      />
      <Group justify="flex-end" gap="sm">
        <Button variant="default" onClick={onDone}>
          {t('action.cancel')}
        </Button>
        <Button onClick={submit} loading={retry.isPending} data-autofocus>
          {t('speakers.againSubmit')}
        </Button>
      </Group>
    </Stack>
  );
}
