import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
  type SearchSchemaInput,
} from '@tanstack/react-router';

import { JOB_TABS, type JobTab } from '@/api/keys';
import { session } from '@/api/session';
import { PageLoader } from '@/components/ui/plain-states';
import { safeNext } from '@/lib/next-path';
import { readOidc } from '@/lib/oidc-result';

import { BareCrash, BareNotFound, CrashPage, NotFoundPage } from './pages/states';
import { Shell } from './shell/shell';

const root = createRootRoute({ notFoundComponent: BareNotFound, errorComponent: BareCrash });

interface NextSearch {
  next?: string;
}

function readNext(search: Record<string, unknown> & SearchSchemaInput): NextSearch {
  const next = safeNext(search.next);
  return next === '/' ? {} : { next };
}

interface LoginSearch extends NextSearch {
  oidc?: string;
}

/** `oidc`: how a sign-in through the provider ended. */
function readLogin(search: Record<string, unknown> & SearchSchemaInput): LoginSearch {
  const oidc = readOidc(search.oidc);
  return { ...readNext(search), ...(oidc ? { oidc } : {}) };
}

/** Where a transcript begins to play, in seconds. */
function readStart(search: Record<string, unknown> & SearchSchemaInput): { t?: number } {
  const at = Number(search.t);
  return Number.isFinite(at) && at > 0 ? { t: at } : {};
}

/** Pages for visitors; whoever is signed in already goes on. */
async function onlyVisitors({ search }: { search: NextSearch }): Promise<void> {
  const state = await session.start().catch(() => null);
  if (state?.status === 'signed-in') throw redirect({ href: safeNext(search.next) });
}

const login = createRoute({
  getParentRoute: () => root,
  path: '/login',
  validateSearch: readLogin,
  beforeLoad: async ({ search }) => {
    // Back from the provider with a cookie that no page here has asked for.
    if (search.oidc === 'done') await session.refresh().catch(() => false);
    await onlyVisitors({ search });
  },
  component: lazyRouteComponent(() => import('./pages/login-page'), 'LoginPage'),
});

const register = createRoute({
  getParentRoute: () => root,
  path: '/register',
  validateSearch: readNext,
  beforeLoad: onlyVisitors,
  component: lazyRouteComponent(() => import('./pages/register-page'), 'RegisterPage'),
});

const forgot = createRoute({
  getParentRoute: () => root,
  path: '/forgot',
  component: lazyRouteComponent(() => import('./pages/forgot-page'), 'ForgotPage'),
});

// Links of mails: they work whoever is signed in here.
const reset = createRoute({
  getParentRoute: () => root,
  path: '/reset/$token',
  component: lazyRouteComponent(() => import('./pages/reset-page'), 'ResetPage'),
});

const verify = createRoute({
  getParentRoute: () => root,
  path: '/verify/$token',
  component: lazyRouteComponent(() => import('./pages/verify-page'), 'VerifyPage'),
});

const invite = createRoute({
  getParentRoute: () => root,
  path: '/invite/$token',
  beforeLoad: async () => {
    await session.start().catch(() => null);
  },
  component: lazyRouteComponent(() => import('./pages/invite-page'), 'InvitePage'),
});

/** What was shared by a link: for anybody, whoever is signed in here. */
const sharedLink = createRoute({
  getParentRoute: () => root,
  path: '/s/$token',
  validateSearch: readStart,
  component: lazyRouteComponent(() => import('./pages/shared-page'), 'SharedPage'),
});

const signedIn = createRoute({
  getParentRoute: () => root,
  id: 'signed-in',
  component: Shell,
  errorComponent: BareCrash,
  beforeLoad: async ({ location }) => {
    const state = await session.start();
    if (state.status === 'signed-in') return;
    const next = safeNext(location.href);
    throw redirect({ to: '/login', search: next === '/' ? {} : { next } });
  },
});

const home = createRoute({
  getParentRoute: () => signedIn,
  path: '/',
  component: lazyRouteComponent(() => import('./pages/new-page'), 'NewPage'),
});

const jobs = createRoute({
  getParentRoute: () => signedIn,
  path: '/jobs',
  validateSearch: (search: Record<string, unknown> & SearchSchemaInput) => {
    const tab = JOB_TABS.find((name) => name === search.status);
    const q = typeof search.q === 'string' || typeof search.q === 'number' ? String(search.q) : '';
    return {
      ...(tab && tab !== 'all' ? { status: tab } : {}),
      ...(q ? { q } : {}),
    } as { status?: JobTab; q?: string };
  },
  component: lazyRouteComponent(() => import('./pages/jobs-page'), 'JobsPage'),
});

const transcript = createRoute({
  getParentRoute: () => signedIn,
  path: '/t/$jobId',
  validateSearch: readStart,
  component: lazyRouteComponent(() => import('./pages/transcript-page'), 'TranscriptPage'),
});

const sharedList = createRoute({
  getParentRoute: () => signedIn,
  path: '/shared',
  component: lazyRouteComponent(() => import('./pages/shared-list-page'), 'SharedListPage'),
});

const sharedJob = createRoute({
  getParentRoute: () => signedIn,
  path: '/shared/$jobId',
  validateSearch: readStart,
  component: lazyRouteComponent(() => import('./pages/shared-job-page'), 'SharedJobPage'),
});

/** Everything with the navigation of the settings beside it. */
const settings = createRoute({
  getParentRoute: () => signedIn,
  id: 'settings',
  component: lazyRouteComponent(() => import('./pages/settings-layout'), 'SettingsLayout'),
});

const profile = createRoute({
  getParentRoute: () => settings,
  path: '/settings/profile',
  component: lazyRouteComponent(() => import('./pages/profile-page'), 'ProfilePage'),
});

const security = createRoute({
  getParentRoute: () => settings,
  path: '/settings/security',
  validateSearch: (search: Record<string, unknown> & SearchSchemaInput) => {
    const oidc = readOidc(search.oidc);
    return (oidc ? { oidc } : {}) as { oidc?: string };
  },
  component: lazyRouteComponent(() => import('./pages/security-page'), 'SecurityPage'),
});

const workspace = createRoute({
  getParentRoute: () => settings,
  path: '/settings/workspace',
  component: lazyRouteComponent(() => import('./pages/workspace-page'), 'WorkspacePage'),
});

const members = createRoute({
  getParentRoute: () => settings,
  path: '/settings/members',
  component: lazyRouteComponent(() => import('./pages/members-page'), 'MembersPage'),
});

const usage = createRoute({
  getParentRoute: () => settings,
  path: '/settings/usage',
  validateSearch: (search: Record<string, unknown> & SearchSchemaInput): { month?: string } => {
    const { month } = search;
    return typeof month === 'string' && /^\d{4}-(0[1-9]|1[0-2])$/.test(month) ? { month } : {};
  },
  component: lazyRouteComponent(() => import('./pages/usage-page'), 'UsagePage'),
});

const activity = createRoute({
  getParentRoute: () => settings,
  path: '/settings/activity',
  component: lazyRouteComponent(() => import('./pages/activity-page'), 'ActivityPage'),
});

const apiKeys = createRoute({
  getParentRoute: () => settings,
  path: '/settings/api-keys',
  component: lazyRouteComponent(() => import('./pages/keys-page'), 'KeysPage'),
});

const webhooks = createRoute({
  getParentRoute: () => settings,
  path: '/settings/webhooks',
  component: lazyRouteComponent(() => import('./pages/webhooks-page'), 'WebhooksPage'),
});

const webhook = createRoute({
  getParentRoute: () => settings,
  path: '/settings/webhooks/$webhookId',
  component: lazyRouteComponent(() => import('./pages/webhook-page'), 'WebhookPage'),
});

const models = createRoute({
  getParentRoute: () => settings,
  path: '/admin/models',
  component: lazyRouteComponent(() => import('./pages/models-page'), 'ModelsPage'),
});

const status = createRoute({
  getParentRoute: () => settings,
  path: '/admin/status',
  component: lazyRouteComponent(() => import('./pages/status-page'), 'StatusPage'),
});

const limits = createRoute({
  getParentRoute: () => settings,
  path: '/admin/limits',
  component: lazyRouteComponent(() => import('./pages/limits-page'), 'LimitsPage'),
});

const routeTree = root.addChildren([
  login,
  register,
  forgot,
  reset,
  verify,
  invite,
  sharedLink,
  signedIn.addChildren([
    home,
    jobs,
    transcript,
    sharedList,
    sharedJob,
    settings.addChildren([
      profile,
      security,
      workspace,
      members,
      usage,
      activity,
      apiKeys,
      webhooks,
      webhook,
      models,
      limits,
      status,
    ]),
  ]),
]);

export function makeRouter() {
  return createRouter({
    routeTree,
    defaultPreload: 'intent',
    defaultPendingComponent: PageLoader,
    defaultErrorComponent: CrashPage,
    defaultNotFoundComponent: NotFoundPage,
    scrollRestoration: true,
  });
}

export type AppRouter = ReturnType<typeof makeRouter>;

declare module '@tanstack/react-router' {
  interface Register {
    router: AppRouter;
  }
}
