import {
  IconAdjustments,
  IconCpu,
  IconKey,
  IconLock,
  IconUser,
  IconUsers,
} from '@tabler/icons-react';
import { Outlet } from '@tanstack/react-router';

import { SettingsNav, type SettingsGroup } from '@/features/settings/settings-nav';
import { useSession } from '@/hooks/use-session';
import { t } from '@/lib/i18n';

import classes from './settings-layout.module.css';

const ACCOUNT: SettingsGroup = {
  title: t('settings.account'),
  links: [
    { to: '/settings/profile', label: t('profile.title'), Icon: IconUser },
    { to: '/settings/security', label: t('settings.security'), Icon: IconLock },
  ],
};

const WORKSPACE: SettingsGroup = {
  title: t('settings.workspace'),
  links: [
    { to: '/settings/workspace', label: t('settings.general'), Icon: IconAdjustments },
    { to: '/settings/members', label: t('members.title'), Icon: IconUsers },
    { to: '/settings/api-keys', label: t('apiKeys.title'), Icon: IconKey },
  ],
};

/** For administrators of the server only. */
const SERVER: SettingsGroup = {
  title: t('settings.server'),
  links: [{ to: '/admin/models', label: t('nav.models'), Icon: IconCpu }],
};

/** Everything about the account, the workspace and the server, with one navigation. */
export function SettingsLayout() {
  const state = useSession();
  const admin = state.status === 'signed-in' && state.user.is_admin;
  return (
    <div className={classes.frame}>
      <SettingsNav groups={admin ? [ACCOUNT, WORKSPACE, SERVER] : [ACCOUNT, WORKSPACE]} />
      <div className={classes.page}>
        <Outlet />
      </div>
    </div>
  );
}
