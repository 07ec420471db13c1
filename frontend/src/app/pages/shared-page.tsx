import { IconLinkOff } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useParams, useSearch } from '@tanstack/react-router';

import { refetchShared, sharedPageQuery, type SharedSource } from '@/api/shared';
import type { SharedPage as Page } from '@/api/types';
import { EmptyState } from '@/components/ui/empty-state';
import { ErrorState } from '@/components/ui/error-state';
import { Logo } from '@/components/ui/logo';
import { PageLoader } from '@/components/ui/plain-states';
import { SharedView } from '@/features/transcript/shared-view';
import { UnlockForm } from '@/features/share/unlock-form';
import { useLiveShared } from '@/hooks/use-live-shared';
import { useNoIndex } from '@/hooks/use-no-index';
import { useTitle } from '@/hooks/use-title';
import { ApiError } from '@/lib/errors';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-share';

import classes from './shared-page.module.css';

/** What a link leads to: for anybody, with nothing of the app around it. */
export function SharedPage() {
  const { token } = useParams({ from: '/s/$token' });
  useNoIndex();
  return (
    <>
      <header className={classes.header}>
        <div className={classes.bar}>
          <Logo />
        </div>
      </header>
      <main id="content" className={classes.main}>
        <Content key={token} token={token} />
      </main>
    </>
  );
}

function Content({ token }: { token: string }) {
  const cache = useQueryClient();
  const page = useQuery(sharedPageQuery(token));
  const gone = page.error instanceof ApiError && page.error.status === 404;
  useTitle(gone ? t('shared.gone') : (page.data?.title ?? ''));
  if (gone) {
    return (
      <EmptyState
        live
        icon={<IconLinkOff size={30} />}
        title={t('shared.gone')}
        text={t('shared.goneText')}
      />
    );
  }
  if (!page.data) {
    if (!page.isError) return <PageLoader />;
    return <ErrorState error={page.error} onRetry={() => void page.refetch()} />;
  }
  if (!page.data.unlocked) {
    return (
      <UnlockForm
        token={token}
        onDone={() => {
          refetchShared(cache, { kind: 'link', token });
        }}
      />
    );
  }
  return <Reading token={token} page={page.data} />;
}

function Reading({ token, page }: { token: string; page: Page }) {
  const { t: startSeconds } = useSearch({ from: '/s/$token' });
  const source: SharedSource = { kind: 'link', token };
  const status = page.status ?? 'pending';
  const live = useLiveShared(source, status === 'pending' || status === 'processing');
  return (
    <SharedView
      source={source}
      title={page.title ?? ''}
      progress={{ progress: 0, stage: null, eta_seconds: null, ...live, status }}
      canEdit={false}
      allowDownload={page.allow_download}
      startSeconds={startSeconds}
      back={null}
    />
  );
}
