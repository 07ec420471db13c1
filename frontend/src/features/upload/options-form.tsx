import { Button, Collapse, Select, SegmentedControl, Stack, Switch, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconAdjustments } from '@tabler/icons-react';
import { useId } from 'react';

import type { Options } from '@/api/types';
import { EngineSelect } from '@/components/ui/engine-select';
import { useStore } from '@/hooks/use-store';
import { t } from '@/lib/i18n';

import { choices, choose, type Choices } from './choices';

export function OptionsForm({ options }: { options: Options | undefined }) {
  const picked = useStore(choices);
  const [open, { toggle }] = useDisclosure(false);
  const panelId = useId();
  const modeId = useId();
  const languages = [
    { value: 'auto', label: t('options.auto') },
    ...(options?.languages ?? [])
      .filter((language) => language.code !== 'auto')
      .map((language) => ({ value: language.code, label: language.name })),
  ];
  return (
    <Stack gap="md">
      <Select
        label={t('options.language')}
        size="md"
        searchable
        data={languages}
        value={languages.some((item) => item.value === picked.language) ? picked.language : 'auto'}
        onChange={(language) => {
          if (language) choose({ language });
        }}
        allowDeselect={false}
        comboboxProps={{ shadow: 'md' }}
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
      </Button>
      <div id={panelId}>
        <Collapse expanded={open}>
          <Stack gap="md">
            <EngineSelect
              options={options}
              value={picked.engine}
              onChange={(engine) => {
                choose({ engine });
              }}
            />
            <div>
              <Text id={modeId} fw={500} mb={4}>
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
                value={picked.mode}
                onChange={(mode) => {
                  choose({ mode: mode as Choices['mode'] });
                }}
              />
              <Text size="sm" c="dimmed" mt={4}>
                {t('options.modeHint')}
              </Text>
            </div>
            <Switch
              size="md"
              label={t('options.vad')}
              description={t('options.vadHint')}
              checked={picked.vad === 'auto'}
              onChange={(event) => {
                choose({ vad: event.currentTarget.checked ? 'auto' : 'off' });
              }}
            />
          </Stack>
        </Collapse>
      </div>
      <Text size="xs" c="dimmed">
        {t('options.appliesTo')}
      </Text>
    </Stack>
  );
}
