import { Button, Group, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';

import { invitationsQuery, useMemberCommands } from '@/api/members';
import { notifyError } from '@/components/ui/notify';
import { fullDate } from '@/lib/format';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-account';
import { roleName } from '@/lib/roles';

/** Invitations that nobody has accepted yet. Nothing where there are none. */
export function InvitationList({ workspaceId }: { workspaceId: string }) {
  const found = useQuery(invitationsQuery(workspaceId));
  const { revoke } = useMemberCommands(workspaceId);
  if (!found.data?.items.length) return null;
  return (
    <section className="card" style={{ padding: 24 }}>
      <Title order={2} mb="md">
        {t('members.pending')}
      </Title>
      <Stack component="ul" gap="md" p={0} m={0} style={{ listStyle: 'none' }}>
        {found.data.items.map((one) => (
          <Group component="li" key={one.id} justify="space-between" gap="sm" wrap="nowrap">
            <div style={{ minWidth: 0 }}>
              <Text fw={500} truncate>
                {one.email}
              </Text>
              <Text size="sm" c="dimmed">
                {roleName(one.role)}, {t('members.expires', { when: fullDate(one.expires_at) })}
              </Text>
            </div>
            <Button
              variant="default"
              size="xs"
              style={{ flexShrink: 0 }}
              aria-label={t('members.revokeOf', { name: one.email })}
              onClick={() => {
                revoke.mutate(one.id, {
                  onError: (error) => {
                    notifyError(error);
                  },
                });
              }}
            >
              {t('members.revoke')}
            </Button>
          </Group>
        ))}
      </Stack>
    </section>
  );
}
