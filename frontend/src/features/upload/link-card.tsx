import { Button, Checkbox, Group, Input, Stack, TextInput } from '@mantine/core';
import { IconLink } from '@tabler/icons-react';
import { useId, useState, type ReactNode, type SubmitEvent } from 'react';

import { toJobChoices } from '@/api/choices';
import { useJobActions } from '@/api/jobs';
import type { Options } from '@/api/types';
import { fieldError } from '@/components/ui/field-error';
import { notifyDone } from '@/components/ui/notify';
import { t } from '@/lib/i18n';

import { choices } from './choices';

const PLAYLIST = /playlist|[?&]list=|\/(feed|rss|album|sets)\b/i;

/** A link in place of a file: the server fetches the recording. */
export function LinkCard({ options }: { options: Options | undefined }) {
  const { create } = useJobActions();
  const id = useId();
  const [url, setUrl] = useState('');
  const [playlist, setPlaylist] = useState(false);
  const [error, setError] = useState<ReactNode>(null);
  if (!options?.links) return null;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const link = url.trim();
    if (!link) {
      setError(t('link.missing'));
      return;
    }
    create.mutate(
      { ...toJobChoices(choices.get(), options), url: link, ...(playlist ? { playlist } : {}) },
      {
        onSuccess: () => {
          setUrl('');
          setPlaylist(false);
          notifyDone(t('link.started'));
        },
        onError: (failure: unknown) => {
          setError(fieldError(failure));
        },
      },
    );
  };
  return (
    <form className="card" style={{ padding: 20 }} onSubmit={submit} noValidate>
      <Stack gap="sm">
        {/* Outside the field, so that the button stays beside it under an error. */}
        <Input.Label htmlFor={id} size="md" mb={-8}>
          {t('link.label')}
        </Input.Label>
        <Group align="flex-start" gap="sm">
          <TextInput
            id={id}
            style={{ flex: '1 1 220px' }}
            placeholder="https://"
            type="url"
            inputMode="url"
            autoComplete="off"
            size="md"
            leftSection={<IconLink size={18} />}
            value={url}
            error={error}
            onChange={(event) => {
              setError(null);
              setUrl(event.currentTarget.value);
            }}
          />
          <Button type="submit" size="md" loading={create.isPending}>
            {t('link.submit')}
          </Button>
        </Group>
        {PLAYLIST.test(url) ? (
          <Checkbox
            label={t('link.playlist')}
            checked={playlist}
            onChange={(event) => {
              setPlaylist(event.currentTarget.checked);
            }}
          />
        ) : null}
      </Stack>
    </form>
  );
}
