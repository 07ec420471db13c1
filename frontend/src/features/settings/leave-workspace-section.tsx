import { Button, Group, Modal, Text, Title } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { modals } from '@mantine/modals';

import type { UserWorkspace } from '@/api/types';
import { leaveWorkspace } from '@/api/workspaces';
import { notifyDone, notifyError } from '@/components/ui/notify';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-workspaces';

import { DeleteWorkspaceForm } from './delete-workspace-form';

interface Props {
  workspace: UserWorkspace;
  /** The only one can be neither left nor deleted. */
  only: boolean;
  /** The workspace is gone for this user. */
  onGone: () => void;
}

/** The two ways out of a workspace. */
export function LeaveWorkspaceSection({ workspace, only, onGone }: Props) {
  const [open, dialog] = useDisclosure(false);
  const { id, name, role } = workspace;
  const leave = async () => {
    try {
      await leaveWorkspace(id);
      notifyDone(t('workspace.left', { name }));
      onGone();
    } catch (error) {
      notifyError(error);
    }
  };
  const ask = () => {
    modals.openConfirmModal({
      title: t('workspace.leaveAsk', { name }),
      children: <Text>{t('workspace.leaveAskText')}</Text>,
      labels: { confirm: t('workspace.leaveConfirm'), cancel: t('action.cancel') },
      confirmProps: { color: 'red' },
      onConfirm: () => void leave(),
    });
  };
  return (
    <section className="card" style={{ padding: 24 }}>
      <Title order={2}>{t('workspace.leaveTitle')}</Title>
      <Text c="dimmed" size="sm" mb={only ? 0 : 'md'} mt={4}>
        {only ? t('workspace.onlyOne') : t('workspace.leaveText', { name })}
      </Text>
      {only ? null : (
        <Group gap="sm">
          <Button variant="default" onClick={ask}>
            {t('workspace.leave')}
          </Button>
          {role === 'owner' ? (
            <Button variant="light" color="red" onClick={dialog.open}>
              {t('workspace.delete')}
            </Button>
          ) : null}
        </Group>
      )}
      <Modal
        opened={open}
        onClose={dialog.close}
        title={t('workspace.deleteAsk', { name })}
        centered
      >
        <DeleteWorkspaceForm
          workspaceId={id}
          name={name}
          onCancel={dialog.close}
          onDone={() => {
            notifyDone(t('workspace.deleted', { name }));
            onGone();
          }}
        />
      </Modal>
    </section>
  );
}
