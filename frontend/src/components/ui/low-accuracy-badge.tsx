import { Badge } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';

import { t } from '@/lib/i18n';

export function LowAccuracyBadge() {
  return (
    <Badge
      color="orange"
      size="lg"
      leftSection={<IconAlertTriangle size={14} aria-hidden="true" />}
    >
      {t('job.lowAccuracy')}
    </Badge>
  );
}
