import { Group, Text } from '@mantine/core';

import { t } from '@/lib/i18n';

export function LogoMark({ size = 28 }: { size?: number }) {
  return (
    <svg viewBox="0 0 32 32" width={size} height={size} aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="#574bd3" />
      <g stroke="#fff" strokeWidth="2.6" strokeLinecap="round">
        <path d="M8 13v6M13 9v14M18 12v8" />
        <path d="M23 14h1.5M23 18h1.5" />
      </g>
    </svg>
  );
}

/** With `narrow` the mark stands alone where there is little room beside it. */
export function Logo({ narrow }: { narrow?: boolean }) {
  return (
    <Group gap={10} wrap="nowrap">
      <LogoMark />
      <Text span fw={700} fz="lg" lh={1} visibleFrom={narrow ? 'xs' : undefined}>
        {t('app.name')}
      </Text>
    </Group>
  );
}
