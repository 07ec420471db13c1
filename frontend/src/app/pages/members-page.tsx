import { Button, Container, Modal, Stack, Text } from '@mantine/core';
import { IconUserPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { membersQuery } from '@/api/members';
import { session } from '@/api/session';
import { ErrorState } from '@/components/ui/error-state';
import { PageHeader } from '@/components/ui/page-header';
import { PageLoader } from '@/components/ui/plain-states';
import { InvitationList } from '@/features/settings/invitation-list';
import { InviteForm } from '@/features/settings/invite-form';
import { MemberList } from '@/features/settings/member-list';
import { useTitle } from '@/hooks/use-title';
import { useWorkspace } from '@/hooks/use-workspace';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-account';
import { manageable } from '@/lib/roles';

export function MembersPage() {
  useTitle(t('members.title'));
  const workspace = useWorkspace();
  const id = workspace?.id ?? '';
  const found = useQuery({ ...membersQuery(id), enabled: Boolean(id) });
  const [open, setOpen] = useState(false);
  if (found.isError) {
    return <ErrorState error={found.error} onRetry={() => void found.refetch()} />;
  }
  if (!workspace || !found.data) return <PageLoader />;
  const manages = manageable(workspace.role).length > 0;
  return (
    <Container size="sm" px={0} mx={0}>
      <PageHeader title={t('members.title')}>
        {manages ? (
          <Button
            leftSection={<IconUserPlus size={18} />}
            onClick={() => {
              setOpen(true);
            }}
          >
            {t('members.invite')}
          </Button>
        ) : null}
      </PageHeader>
      <Stack gap="lg">
        <section className="card" style={{ padding: 24 }}>
          <Text c="dimmed" size="sm" mb="md">
            {t('members.text', { name: workspace.name })}
          </Text>
          <MemberList
            workspaceId={id}
            items={found.data.items}
            ownId={session.user?.id ?? ''}
            ownRole={workspace.role}
          />
        </section>
        {manages ? <InvitationList workspaceId={id} /> : null}
      </Stack>
      <Modal
        opened={open}
        onClose={() => {
          setOpen(false);
        }}
        title={t('members.inviteTitle')}
        centered
      >
        <InviteForm
          workspaceId={id}
          ownRole={workspace.role}
          onDone={() => {
            setOpen(false);
          }}
        />
      </Modal>
    </Container>
  );
}
