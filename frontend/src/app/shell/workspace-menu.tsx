import { Button, Menu, Modal } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import {
  IconAdjustments,
  IconChartBar,
  IconPlus,
  IconSelector,
  IconUsers,
} from '@tabler/icons-react';
import { Link, useMatchRoute, useNavigate } from '@tanstack/react-router';

import { currentWorkspace } from '@/api/current-workspace';
import { NewWorkspaceForm } from '@/features/settings/new-workspace-form';
import { useSession } from '@/hooks/use-session';
import { useWorkspace } from '@/hooks/use-workspace';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-account';
import '@/lib/i18n/en-workspaces';

import classes from './shell.module.css';

/** Which workspace is shown, the others, and the way to a new one. */
export function WorkspaceMenu() {
  const state = useSession();
  const workspace = useWorkspace();
  const navigate = useNavigate();
  const matchRoute = useMatchRoute();
  const [open, dialog] = useDisclosure(false);
  const workspaces = state.status === 'signed-in' ? state.user.workspaces : [];
  const name = workspace?.name ?? '';
  const go = (id: string) => {
    currentWorkspace.choose(id);
    // A transcript belongs to the workspace that was left.
    if (matchRoute({ to: '/t/$jobId' })) void navigate({ to: '/jobs', search: {} });
  };
  return (
    <>
      <Menu position="bottom-start" width={280}>
        <Menu.Target>
          <Button
            variant="subtle"
            color="gray"
            h={44}
            px={10}
            className={classes.workspace}
            rightSection={<IconSelector size={16} aria-hidden="true" />}
            aria-label={t('nav.workspaces', { name })}
          >
            <span dir="auto" className={classes.workspaceName}>
              {name}
            </span>
          </Button>
        </Menu.Target>
        <Menu.Dropdown aria-label={t('nav.workspaces', { name })}>
          <Menu.RadioGroup value={workspace?.id ?? ''} onChange={go}>
            {workspaces.map(({ id, name: label }) => (
              <Menu.RadioItem key={id} value={id} closeMenuOnClick>
                <span dir="auto">{label}</span>
              </Menu.RadioItem>
            ))}
          </Menu.RadioGroup>
          <Menu.Item leftSection={<IconPlus size={18} />} onClick={dialog.open}>
            {t('workspaces.new')}
          </Menu.Item>
          <Menu.Divider />
          <Menu.Item
            component={Link}
            to="/settings/workspace"
            leftSection={<IconAdjustments size={18} />}
          >
            {t('nav.workspace')}
          </Menu.Item>
          <Menu.Item component={Link} to="/settings/members" leftSection={<IconUsers size={18} />}>
            {t('nav.members')}
          </Menu.Item>
          <Menu.Item component={Link} to="/settings/usage" leftSection={<IconChartBar size={18} />}>
            {t('usage.title')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Modal opened={open} onClose={dialog.close} title={t('workspaces.new')} centered>
        <NewWorkspaceForm
          onCancel={dialog.close}
          onDone={() => {
            dialog.close();
            void navigate({ to: '/' });
          }}
        />
      </Modal>
    </>
  );
}
