import { Alert, Button, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { shareLinksQuery, useShareLinkCommands } from '@/api/shares';
import type { ShareLink } from '@/api/types';
import { ErrorState } from '@/components/ui/error-state';
import { notifyDone, notifyError } from '@/components/ui/notify';
import { SecretBox } from '@/components/ui/secret-box';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-share';

import { LinkForm } from './link-form';
import { LinkRow } from './link-row';

/** `new`, the link that is being changed, or none. */
type Open = 'new' | ShareLink | null;

/** Links to one transcript: those there are, a form for another. */
export function LinksPart({ jobId }: { jobId: string }) {
  const found = useQuery(shareLinksQuery(jobId));
  const { create, change, revoke } = useShareLinkCommands(jobId);
  const [open, setOpen] = useState<Open>(null);
  const [made, setMade] = useState<string | null>(null);
  if (found.isError && !found.data) {
    return <ErrorState error={found.error} onRetry={() => void found.refetch()} />;
  }
  const items = found.data?.items ?? [];
  const close = () => {
    setOpen(null);
  };
  return (
    <section>
      <Group justify="space-between" gap="sm" mb={4}>
        <Title order={3} fz="md">
          {t('share.byLink')}
        </Title>
        {open ? null : (
          <Button
            variant="light"
            size="sm"
            leftSection={<IconPlus size={16} />}
            onClick={() => {
              setMade(null);
              setOpen('new');
            }}
          >
            {t('share.newLink')}
          </Button>
        )}
      </Group>
      <Text size="sm" c="dimmed" mb="sm">
        {t('share.byLinkText')}
      </Text>
      <Stack gap="sm">
        {made ? (
          <Alert variant="light" color="green" role="status">
            <Stack gap="xs">
              <Text size="sm">{t('share.made')}</Text>
              <SecretBox value={made} label={t('share.copy')} />
            </Stack>
          </Alert>
        ) : null}
        {open === 'new' ? (
          <LinkForm
            action={t('share.make')}
            onCancel={close}
            onSubmit={async (values) => {
              setMade((await create.mutateAsync({ allow_download: false, ...values })).url);
              close();
            }}
          />
        ) : null}
        {open && open !== 'new' ? (
          <LinkForm
            key={open.id}
            link={open}
            action={t('action.save')}
            onCancel={close}
            onSubmit={async (values) => {
              await change.mutateAsync({ id: open.id, ...values });
              notifyDone(t('share.changed'));
              close();
            }}
          />
        ) : null}
        {found.data ? null : <Skeleton height={48} />}
        {found.data && items.length === 0 && !open ? (
          <Text size="sm">{t('share.noLinks')}</Text>
        ) : null}
        <Stack component="ul" gap="sm" p={0} m={0} style={{ listStyle: 'none' }}>
          {items.map((link) => (
            <LinkRow
              key={link.id}
              link={link}
              onChange={() => {
                setMade(null);
                setOpen(link);
              }}
              onRevoke={() => {
                revoke.mutate(link.id, {
                  onSuccess: () => {
                    setMade(null);
                    setOpen(null);
                    notifyDone(t('share.revoked'));
                  },
                  onError: (error) => {
                    notifyError(error);
                  },
                });
              }}
            />
          ))}
        </Stack>
      </Stack>
    </section>
  );
}
