import { Select, Text, type ComboboxData } from '@mantine/core';
import type { ReactNode } from 'react';

import { splitEngine } from '@/api/choices';
import type { EngineOption, Options } from '@/api/types';
import { bytes } from '@/lib/format';
import { t } from '@/lib/i18n';
import { engineName } from '@/lib/job-text';

import { MarkedText } from './marked-text';

interface Props {
  options: Options | undefined;
  value: string;
  onChange: (value: string) => void;
  error?: ReactNode;
}

/** Engine and model in one list. Values: `auto`, `engine`, `engine:model`. */
export function EngineSelect({ options, value, onChange, error }: Props) {
  const data = engineChoices(options);
  const known = data.some((group) =>
    typeof group === 'object' && 'items' in group
      ? group.items.some((item) => typeof item === 'object' && item.value === value)
      : false,
  );
  const note = known ? noteOf(options, value) : null;
  return (
    <div>
      <Select
        label={t('options.model')}
        size="md"
        data={data}
        value={known ? value : 'auto'}
        onChange={(next) => {
          if (next) onChange(next);
        }}
        allowDeselect={false}
        error={error}
        comboboxProps={{ shadow: 'md' }}
      />
      <div role="status">
        {note ? (
          <Text size="sm" c="dimmed" mt={4}>
            <MarkedText text={note} />
          </Text>
        ) : null}
      </div>
    </div>
  );
}

/** What a person should know before taking this one. */
function noteOf(options: Options | undefined, value: string): string | null {
  const { engine, model } = splitEngine(value);
  const option = options?.engines.find((item) => item.name === engine);
  const missing = options?.models.find(
    (item) => !item.installed && engine === 'whisper_cpp' && item.name === model,
  );
  if (missing) return t('engine.missing', { model: missing.name });
  if (option?.cloud) return t('engine.cloudHint', { name: engineName(option.name) });
  return option?.low_accuracy ? t('engine.lowHint') : null;
}

function engineChoices(options: Options | undefined): ComboboxData {
  const standard = options?.default_engine;
  const auto = standard?.engine
    ? t('engine.autoNow', { name: engineName(standard.engine, standard.model) })
    : t('engine.auto');
  const whisper = options?.engines.find((engine) => engine.name === 'whisper_cpp');
  const models = (whisper ? (options?.models ?? []) : []).map((model) => ({
    value: `whisper_cpp:${model.name}`,
    label: [
      model.name,
      bytes(model.bytes),
      ...(model.default ? [t('engine.default')] : []),
      ...(model.installed ? [] : [t('engine.notInstalled')]),
    ].join(' · '),
  }));
  const others = (options?.engines ?? []).filter((engine) => engine.name !== 'whisper_cpp');
  const groups = [
    { group: t('engine.groupAuto'), items: [{ value: 'auto', label: auto }] },
    { group: t('engine.groupModels'), items: models },
    { group: t('engine.groupHere'), items: others.filter((e) => !e.cloud).flatMap(entries) },
    { group: t('engine.groupCloud'), items: others.filter((e) => e.cloud).flatMap(entries) },
  ];
  return groups.filter(({ items }) => items.length > 0);
}

/** One line for an engine, or one for each model where it names its own. */
function entries(engine: EngineOption) {
  const notes = [
    ...(engine.cloud ? [t('engine.cloud')] : []),
    ...(engine.low_accuracy ? [t('engine.lowAccuracy')] : []),
    ...(engine.available ? [] : [t('engine.unavailable')]),
  ];
  const entry = (value: string, model?: string) => ({
    value,
    label: [engineName(engine.name, model), ...notes].join(' · '),
    disabled: !engine.available,
  });
  const models = engine.models ?? [];
  if (models.length === 0) return [entry(engine.name)];
  return models.map((model) => entry(`${engine.name}:${model}`, model));
}
