import { Select, Text, type ComboboxData } from '@mantine/core';

import type { Options } from '@/api/types';
import { bytes } from '@/lib/format';
import { t } from '@/lib/i18n';
import { engineName } from '@/lib/job-text';

import { MarkedText } from './marked-text';

interface Props {
  options: Options | undefined;
  value: string;
  onChange: (value: string) => void;
  description?: string;
}

/** Engine and model in one list. Values: `auto`, `engine`, `engine:model`. */
export function EngineSelect({ options, value, onChange, description }: Props) {
  const data = engineChoices(options);
  const known = data.some((group) =>
    typeof group === 'object' && 'items' in group
      ? group.items.some((item) => typeof item === 'object' && item.value === value)
      : false,
  );
  const missing = options?.models.find(
    (model) => !model.installed && `whisper_cpp:${model.name}` === value,
  );
  return (
    <div>
      <Select
        label={t('options.model')}
        description={description}
        size="md"
        data={data}
        value={known ? value : 'auto'}
        onChange={(next) => {
          if (next) onChange(next);
        }}
        allowDeselect={false}
        comboboxProps={{ shadow: 'md' }}
      />
      <div role="status">
        {known && missing ? (
          <Text size="sm" c="dimmed" mt={4}>
            <MarkedText text={t('engine.missing', { model: missing.name })} />
          </Text>
        ) : null}
      </div>
    </div>
  );
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
  const others = (options?.engines ?? [])
    .filter((engine) => engine.name !== 'whisper_cpp')
    .map((engine) => ({
      value: engine.name,
      label: [
        engineName(engine.name),
        ...(engine.low_accuracy ? [t('engine.lowAccuracy')] : []),
        ...(engine.available ? [] : [t('engine.unavailable')]),
      ].join(' · '),
      disabled: !engine.available,
    }));
  return [
    { group: t('engine.groupAuto'), items: [{ value: 'auto', label: auto }] },
    ...(models.length ? [{ group: t('engine.groupModels'), items: models }] : []),
    ...(others.length ? [{ group: t('engine.groupOther'), items: others }] : []),
  ];
}
