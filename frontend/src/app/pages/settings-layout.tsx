import {
  IconAdjustments,
  IconChartBar,
  IconCpu,
  IconGauge,
  IconHeartbeat,
  IconHistory,
  IconKey,
  IconLock,
  IconUser,
  IconUsers,
  IconWebhook,
} from '@tabler/icons-react';
import { Outlet } from '@tanstack/react-router';

import {
  SettingsNav,
  type SettingsGroup,
  type SettingsLink,
} from '@/features/settings/settings-nav';
import { useSession } from '@/hooks/use-session';
import { useWorkspace } from '@/hooks/use-workspace';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-account';
import '@/lib/i18n/en-activity';
import '@/lib/i18n/en-server';
import '@/lib/i18n/en-webhooks';
import '@/lib/i18n/en-workspaces';

import classes from './settings-layout.module.css';

const ACCOUNT: SettingsGroup = {
  title: t('settings.account'),
  links: [
    { to: '/settings/profile', label: t('profile.title'), Icon: IconUser },
    { to: '/settings/security', label: t('settings.security'), Icon: IconLock },
  ],
};

const ACTIVITY: SettingsLink = {
  to: '/settings/activity',
  label: t('activity.title'),
  Icon: IconHistory,
};

const WEBHOOKS: SettingsLink = {
  to: '/settings/webhooks',
  label: t('webhooks.title'),
  Icon: IconWebhook,
};

/** Who is told of what, and who did what, is for those who manage the workspace. */
function ofWorkspace(role: string | undefined): SettingsGroup {
  const manages = role === 'owner' || role === 'admin';
  return manages ? { ...WORKSPACE, links: [...WORKSPACE.links, WEBHOOKS, ACTIVITY] } : WORKSPACE;
}

const WORKSPACE: SettingsGroup = {
  title: t('settings.workspace'),
  links: [
    { to: '/settings/workspace', label: t('settings.general'), Icon: IconAdjustments },
    { to: '/settings/members', label: t('members.title'), Icon: IconUsers },
    { to: '/settings/usage', label: t('usage.title'), Icon: IconChartBar },
    { to: '/settings/api-keys', label: t('apiKeys.title'), Icon: IconKey },
  ],
};

/** For administrators of the server only. */
const SERVER: SettingsGroup = {
  title: t('settings.server'),
  links: [
    { to: '/admin/models', label: t('nav.models'), Icon: IconCpu },
    { to: '/admin/limits', label: t('limits.title'), Icon: IconGauge },
    { to: '/admin/status', label: t('server.page'), Icon: IconHeartbeat },
  ],
};

/** Everything about the account, the workspace and the server, with one navigation. */
export function SettingsLayout() {
  const state = useSession();
  const workspace = ofWorkspace(useWorkspace()?.role);
  const admin = state.status === 'signed-in' && state.user.is_admin;
  return (
    <div className={classes.frame}>
      <SettingsNav groups={admin ? [ACCOUNT, workspace, SERVER] : [ACCOUNT, workspace]} />
      <div className={classes.page}>
        <Outlet />
      </div>
    </div>
  );
}
