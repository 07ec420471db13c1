import {
  Button,
  Collapse,
  SegmentedControl,
  Select,
  Stack,
  Switch,
  Text,
  Textarea,
} from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconAdjustments } from '@tabler/icons-react';
import { useId, type ReactNode } from 'react';

import { LIMITS, type ChoiceField, type Choices } from '@/api/choices';
import type { Options } from '@/api/types';
import { t } from '@/lib/i18n';

import { EngineSelect } from './engine-select';
import { SpeakerCountFields } from './speaker-count';
import { VocabularyInput } from './vocabulary-input';

/** What the server said about single options. */
export type OptionErrors = Partial<Record<ChoiceField, ReactNode>>;

interface Props {
  options: Options | undefined;
  value: Choices;
  onChange: (change: Partial<Choices>) => void;
  errors?: OptionErrors;
}

/** Everything that can be asked of a transcription: the usual three in sight, the rest folded. */
export function OptionFields({ options, value, onChange, errors = {} }: Props) {
  const folded = changedBelow(value);
  const refused = Boolean(
    errors.vocabulary ?? errors.prompt ?? errors.speakers ?? errors.max_speakers,
  );
  const [wanted, { toggle }] = useDisclosure(false);
  const open = wanted || refused;
  const panelId = useId();
  return (
    <Stack gap="md">
      <LanguageSelect options={options} value={value} onChange={onChange} errors={errors} />
      <ModeField options={options} value={value} onChange={onChange} />
      <EngineSelect
        options={options}
        value={value.engine}
        error={errors.engine ?? errors.model}
        onChange={(engine) => {
          onChange({ engine });
        }}
      />
      <Button
        variant="subtle"
        color="gray"
        leftSection={<IconAdjustments size={18} />}
        onClick={toggle}
        aria-expanded={open}
        aria-controls={panelId}
        style={{ alignSelf: 'flex-start' }}
        px="xs"
      >
        {open ? t('options.less') : t('options.more')}
        {!open && folded > 0 ? ` (${t('options.changed', { count: folded })})` : ''}
      </Button>
      <div id={panelId}>
        <Collapse expanded={open}>
          <MoreFields options={options} value={value} onChange={onChange} errors={errors} />
        </Collapse>
      </div>
    </Stack>
  );
}

/** How many of the folded options differ from what they are by themselves. */
function changedBelow(value: Choices): number {
  const dialogue = value.mode === 'dialogue';
  return [
    value.translate,
    value.vocabulary.length > 0,
    value.prompt.trim() !== '',
    dialogue && (value.speakers ?? value.maxSpeakers) !== null,
    value.vad === 'off',
  ].filter(Boolean).length;
}

function LanguageSelect({ options, value, onChange, errors = {} }: Props) {
  const languages = [
    { value: 'auto', label: t('options.auto') },
    { value: 'mixed', label: t('options.mixed') },
    ...(options?.languages ?? [])
      .filter((language) => language.code !== 'auto' && language.code !== 'mixed')
      .map((language) => ({ value: language.code, label: language.name })),
  ];
  const known = languages.some((item) => item.value === value.language);
  return (
    <Select
      label={t('options.language')}
      description={value.language === 'mixed' ? t('options.mixedHint') : undefined}
      size="md"
      searchable
      data={languages}
      value={known ? value.language : 'auto'}
      onChange={(language) => {
        if (language) onChange({ language });
      }}
      allowDeselect={false}
      error={errors.language}
      comboboxProps={{ shadow: 'md' }}
    />
  );
}

function ModeField({ options, value, onChange }: Props) {
  const modeId = useId();
  const alone = options && !options.local_speakers && !options.engines.some((e) => e.speakers);
  return (
    <div>
      <Text id={modeId} fw={600} mb={4}>
        {t('options.mode')}
      </Text>
      <SegmentedControl
        fullWidth
        size="md"
        aria-labelledby={modeId}
        data={[
          { value: 'mono', label: t('options.mode.mono') },
          { value: 'dialogue', label: t('options.mode.dialogue') },
        ]}
        value={value.mode}
        onChange={(mode) => {
          onChange({ mode: mode as Choices['mode'] });
        }}
      />
      <Text size="sm" c="dimmed" mt={4}>
        {value.mode === 'dialogue' && alone ? t('options.modeStereoOnly') : t('options.modeHint')}
      </Text>
    </div>
  );
}

function MoreFields({ value, onChange, errors = {} }: Props) {
  return (
    <Stack gap="md">
      {value.mode === 'dialogue' ? (
        <SpeakerCountFields
          speakers={value.speakers}
          atMost={value.maxSpeakers}
          onSpeakers={(speakers) => {
            onChange({ speakers });
          }}
          onAtMost={(maxSpeakers) => {
            onChange({ maxSpeakers });
          }}
          error={errors.speakers ?? errors.max_speakers}
        />
      ) : null}
      <Switch
        size="md"
        label={t('options.translate')}
        description={t('options.translateHint')}
        checked={value.translate}
        error={errors.translate}
        onChange={(event) => {
          onChange({ translate: event.currentTarget.checked });
        }}
      />
      <VocabularyInput
        label={t('options.vocabulary')}
        description={t('options.vocabularyHint')}
        max={LIMITS.jobTerms}
        value={value.vocabulary}
        error={errors.vocabulary}
        onChange={(vocabulary) => {
          onChange({ vocabulary });
        }}
      />
      <Textarea
        label={t('options.prompt')}
        description={t('options.promptHint')}
        size="md"
        rows={2}
        maxLength={LIMITS.promptLength}
        value={value.prompt}
        error={errors.prompt}
        onChange={(event) => {
          onChange({ prompt: event.currentTarget.value });
        }}
      />
      <Switch
        size="md"
        label={t('options.vad')}
        description={t('options.vadHint')}
        checked={value.vad === 'auto'}
        onChange={(event) => {
          onChange({ vad: event.currentTarget.checked ? 'auto' : 'off' });
        }}
      />
    </Stack>
  );
}
