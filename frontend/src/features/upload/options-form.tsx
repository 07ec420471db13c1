import { Stack, Text } from '@mantine/core';

import type { Options } from '@/api/types';
import { MarkedText } from '@/components/ui/marked-text';
import { OptionFields, type OptionErrors } from '@/components/ui/option-fields';
import { useStore } from '@/hooks/use-store';
import { t } from '@/lib/i18n';

import { choices, choose } from './choices';
import { uploadQueue, type QueueItem } from './queue';

/** Options for the next files. What the server refused of an earlier one stands at its field. */
export function OptionsForm({ options }: { options: Options | undefined }) {
  const picked = useStore(choices);
  const items = useStore(uploadQueue.items);
  return (
    <Stack gap="md">
      <OptionFields
        options={options}
        value={picked}
        onChange={choose}
        errors={refusedOptions(items)}
      />
      <Text size="xs" c="dimmed">
        {t('options.appliesTo')}
      </Text>
    </Stack>
  );
}

function refusedOptions(items: readonly QueueItem[]): OptionErrors {
  const errors: OptionErrors = {};
  for (const { field, error } of items) {
    if (field && error) errors[field] = <MarkedText text={error} />;
  }
  return errors;
}
