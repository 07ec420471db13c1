import {
  ActionIcon,
  Menu,
  Text,
  useMantineColorScheme,
  type MantineColorScheme,
} from '@mantine/core';
import {
  IconAdjustments,
  IconCpu,
  IconDeviceDesktop,
  IconKey,
  IconLock,
  IconLogout,
  IconMoon,
  IconSun,
  IconUserCircle,
  IconUsers,
} from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';

import { useLogout } from '@/api/auth';
import { useSession } from '@/hooks/use-session';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-account';

const SCHEMES = [
  { value: 'light', label: t('theme.light'), Icon: IconSun },
  { value: 'dark', label: t('theme.dark'), Icon: IconMoon },
  { value: 'auto', label: t('theme.auto'), Icon: IconDeviceDesktop },
] as const;

export function AccountMenu() {
  const state = useSession();
  const logout = useLogout();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const admin = state.status === 'signed-in' && state.user.is_admin;
  const email = state.status === 'signed-in' ? state.user.email : '';
  return (
    <Menu position="bottom-end" width={250}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size={44} aria-label={t('nav.account')}>
          <IconUserCircle size={26} stroke={1.6} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown aria-label={t('nav.account')}>
        <Text size="sm" c="dimmed" px="sm" py={8} truncate role="presentation">
          {email}
        </Text>
        <Menu.Divider />
        <Menu.RadioGroup
          value={colorScheme}
          onChange={(scheme) => {
            setColorScheme(scheme as MantineColorScheme);
          }}
        >
          {SCHEMES.map(({ value, label, Icon }) => (
            <Menu.RadioItem key={value} value={value} rightSection={<Icon size={18} />}>
              {label}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
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
        <Menu.Item component={Link} to="/settings/api-keys" leftSection={<IconKey size={18} />}>
          {t('nav.keys')}
        </Menu.Item>
        {admin ? (
          <Menu.Item component={Link} to="/admin/models" leftSection={<IconCpu size={18} />}>
            {t('nav.models')}
          </Menu.Item>
        ) : null}
        <Menu.Item component={Link} to="/settings/security" leftSection={<IconLock size={18} />}>
          {t('nav.settings')}
        </Menu.Item>
        <Menu.Item
          leftSection={<IconLogout size={18} />}
          onClick={() => {
            logout.mutate();
          }}
        >
          {t('nav.signOut')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
