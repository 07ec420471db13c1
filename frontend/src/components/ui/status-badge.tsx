import { Badge } from '@mantine/core';
import {
  IconBan,
  IconCircleCheck,
  IconClock,
  IconExclamationCircle,
  IconLoader2,
} from '@tabler/icons-react';

import type { Job } from '@/api/types';
import { t } from '@/lib/i18n';

// Never by colour alone: each status has its sign and its word.
const LOOK = {
  pending: { color: 'gray', Icon: IconClock },
  processing: { color: 'iris', Icon: IconLoader2 },
  completed: { color: 'green', Icon: IconCircleCheck },
  failed: { color: 'red', Icon: IconExclamationCircle },
  cancelled: { color: 'gray', Icon: IconBan },
} as const;

export function StatusBadge({ job }: { job: Pick<Job, 'status' | 'cancel_requested'> }) {
  const { color, Icon } = LOOK[job.status];
  const cancelling = job.cancel_requested && job.status === 'processing';
  return (
    <Badge color={color} size="lg" leftSection={<Icon size={14} aria-hidden="true" />}>
      {cancelling ? t('status.cancelling') : t(`status.${job.status}`)}
    </Badge>
  );
}
