import { Button, Group, NativeSelect, Stack, Text } from '@mantine/core';
import { modals } from '@mantine/modals';

import { useMemberCommands } from '@/api/members';
import type { Member, Role } from '@/api/types';
import { notifyError } from '@/components/ui/notify';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-account';
import { manageable, roleName } from '@/lib/roles';

interface Props {
  workspaceId: string;
  items: Member[];
  ownId: string;
  ownRole: Role;
}

/** Members with their roles; who may manage them changes roles and removes. */
export function MemberList({ workspaceId, items, ownId, ownRole }: Props) {
  const { changeRole, remove } = useMemberCommands(workspaceId);
  const mine = manageable(ownRole);
  const failed = (error: unknown) => {
    notifyError(error);
  };
  const ask = (member: Member) => {
    const name = member.name ?? member.email;
    modals.openConfirmModal({
      title: t('members.removeTitle', { name }),
      children: <Text>{t('members.removeText')}</Text>,
      labels: { confirm: t('members.remove'), cancel: t('action.cancel') },
      confirmProps: { color: 'red' },
      onConfirm: () => {
        remove.mutate(member.user_id, { onError: failed });
      },
    });
  };
  return (
    <Stack component="ul" gap="md" p={0} m={0} style={{ listStyle: 'none' }}>
      {items.map((member) => {
        const name = member.name ?? member.email;
        const own = member.user_id === ownId;
        const managed = !own && mine.includes(member.role);
        return (
          <Group component="li" key={member.user_id} justify="space-between" gap="sm">
            <div style={{ minWidth: 0, flex: '1 1 180px' }}>
              <Text fw={500} truncate>
                {name} {own ? `(${t('members.you')})` : ''}
              </Text>
              {name === member.email ? null : (
                <Text size="sm" c="dimmed" truncate>
                  {member.email}
                </Text>
              )}
            </div>
            {managed ? (
              <Group gap="xs" wrap="nowrap">
                <NativeSelect
                  aria-label={t('members.role', { name })}
                  value={member.role}
                  data={mine.map((role) => ({ value: role, label: roleName(role) }))}
                  onChange={(event) => {
                    const role = event.currentTarget.value as Role;
                    changeRole.mutate({ user: member.user_id, role }, { onError: failed });
                  }}
                />
                <Button
                  variant="default"
                  size="sm"
                  aria-label={t('members.removeOf', { name })}
                  onClick={() => {
                    ask(member);
                  }}
                >
                  {t('members.remove')}
                </Button>
              </Group>
            ) : (
              <Text size="sm">{roleName(member.role)}</Text>
            )}
          </Group>
        );
      })}
    </Stack>
  );
}
