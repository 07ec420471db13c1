import { Select, Group } from '@mantine/core';
import type { ReactNode } from 'react';

import { LIMITS } from '@/api/choices';
import { t } from '@/lib/i18n';

interface Props {
  speakers: number | null;
  atMost: number | null;
  onSpeakers: (count: number | null) => void;
  onAtMost: (count: number | null) => void;
  error?: ReactNode;
}

const counts = (from: number) =>
  Array.from({ length: LIMITS.speakers - from + 1 }, (_, index) => String(from + index));

/** How many speak: a number, or found out with a limit. */
export function SpeakerCountFields({ speakers, atMost, onSpeakers, onAtMost, error }: Props) {
  return (
    <Group grow align="flex-start" gap="sm" preventGrowOverflow={false} wrap="wrap">
      <Select
        label={t('speakers.count')}
        size="md"
        miw={150}
        data={[{ value: '', label: t('speakers.findOut') }, ...counts(1)]}
        value={speakers === null ? '' : String(speakers)}
        onChange={(value) => {
          onSpeakers(value ? Number(value) : null);
        }}
        allowDeselect={false}
        comboboxProps={{ shadow: 'md' }}
        error={error}
      />
      {speakers === null ? (
        <Select
          label={t('speakers.atMost')}
          size="md"
          miw={150}
          data={[{ value: '', label: t('speakers.noLimit') }, ...counts(2)]}
          value={atMost === null ? '' : String(atMost)}
          onChange={(value) => {
            onAtMost(value ? Number(value) : null);
          }}
          allowDeselect={false}
          comboboxProps={{ shadow: 'md' }}
        />
      ) : null}
    </Group>
  );
}
