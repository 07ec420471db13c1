import { Group } from '@mantine/core';
import { IconFileText, IconPlus, IconShare } from '@tabler/icons-react';
import { Link, Outlet, useMatchRoute } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';

import { Logo } from '@/components/ui/logo';
import { useWorkspace } from '@/hooks/use-workspace';
import { t } from '@/lib/i18n';

import { OfflineNotice } from './offline-notice';
import classes from './shell.module.css';
import { UploadBadge } from './upload-badge';

// Menus bring their positioning code along: the first paint does without.
const AccountMenu = lazy(() =>
  import('./account-menu').then((part) => ({ default: part.AccountMenu })),
);

const WorkspaceMenu = lazy(() =>
  import('./workspace-menu').then((part) => ({ default: part.WorkspaceMenu })),
);

const LINKS = [
  { to: '/', label: t('nav.new'), Icon: IconPlus },
  { to: '/jobs', label: t('nav.transcripts'), Icon: IconFileText },
  { to: '/shared', label: t('nav.shared'), Icon: IconShare },
] as const;

/** Header with the main links; on a phone the links move to the bottom edge. */
export function Shell() {
  const matchRoute = useMatchRoute();
  const workspace = useWorkspace();
  // The transcript page has its player at the bottom edge.
  const hasPlayer = Boolean(
    matchRoute({ to: '/t/$jobId' }) || matchRoute({ to: '/shared/$jobId' }),
  );
  return (
    <>
      <a className={classes.skip} href="#content">
        {t('app.skip')}
      </a>
      <header className={classes.header}>
        <div className={classes.bar}>
          <Link to="/" className={classes.brand} aria-label={t('nav.home')}>
            <Logo narrow />
          </Link>
          <Suspense fallback={<span className={classes.workspacePlace}>{workspace?.name}</span>}>
            <WorkspaceMenu />
          </Suspense>
          <nav
            aria-label={t('nav.main')}
            className={classes.nav}
            data-hide={hasPlayer || undefined}
          >
            {LINKS.map(({ to, label, Icon }) => (
              <Link
                key={to}
                to={to}
                className={classes.link}
                activeOptions={{ exact: to === '/', includeSearch: false }}
              >
                <Icon size={20} aria-hidden="true" />
                <span>{label}</span>
              </Link>
            ))}
          </nav>
          <Group gap={4} wrap="nowrap">
            <UploadBadge />
            <Suspense fallback={<span className={classes.menuPlace} />}>
              <AccountMenu />
            </Suspense>
          </Group>
        </div>
      </header>
      <OfflineNotice />
      <main
        id="content"
        className={classes.main}
        data-player={hasPlayer || undefined}
        tabIndex={-1}
      >
        {/* Another workspace is another set of pages: nothing of the one before stays on them. */}
        <Outlet key={workspace?.id} />
      </main>
    </>
  );
}
