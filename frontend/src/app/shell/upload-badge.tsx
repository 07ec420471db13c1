import { Button } from '@mantine/core';
import { IconUpload } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useCallback, useEffect } from 'react';

import { keys } from '@/api/keys';
import { session } from '@/api/session';
import { DropAnywhere } from '@/features/upload/drop-anywhere';
import { isBusy, jobMade, uploadQueue } from '@/features/upload/queue';
import { useStore } from '@/hooks/use-store';
import { percent } from '@/lib/format';

/** Uploads seen from every page: total progress in the header, and files dropped anywhere. */
export function UploadBadge() {
  const cache = useQueryClient();
  const navigate = useNavigate();
  const active = useStore(uploadQueue.items).filter(isBusy);
  useEffect(
    () => jobMade.subscribe(() => void cache.invalidateQueries({ queryKey: keys.lists })),
    [cache],
  );
  useEffect(
    () =>
      session.state.subscribe(() => {
        if (session.state.get().status === 'signed-out') uploadQueue.reset();
      }),
    [],
  );
  const onAdded = useCallback(() => void navigate({ to: '/' }), [navigate]);
  const total = active.reduce((sum, item) => sum + item.size, 0);
  const sent = active.reduce((sum, item) => sum + item.sent, 0);
  return (
    <>
      <DropAnywhere onAdded={onAdded} />
      {active.length > 0 ? (
        <Button
          component={Link}
          to="/"
          variant="light"
          size="xs"
          className="tabular"
          leftSection={<IconUpload size={14} />}
        >
          {percent(total ? sent / total : 0)}
        </Button>
      ) : null}
    </>
  );
}
