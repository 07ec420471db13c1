import { Button } from '@mantine/core';
import { IconMoodConfuzed } from '@tabler/icons-react';
import { Link, type ErrorComponentProps } from '@tanstack/react-router';

import { EmptyState } from '@/components/ui/empty-state';
import { ErrorState } from '@/components/ui/error-state';
import { useTitle } from '@/hooks/use-title';
import { t } from '@/lib/i18n';

export function NotFoundPage() {
  useTitle(t('notFound.title'));
  return (
    <div>
      <EmptyState
        icon={<IconMoodConfuzed size={32} />}
        title={t('notFound.title')}
        text={t('notFound.text')}
      >
        <Button component={Link} to="/jobs" mt="xs">
          {t('notFound.action')}
        </Button>
      </EmptyState>
    </div>
  );
}

/** The last net: a crash of a page, or a server that cannot be reached at the start. */
export function CrashPage({ error }: ErrorComponentProps) {
  return (
    <div>
      <ErrorState
        error={error}
        onRetry={() => {
          location.reload();
        }}
      />
    </div>
  );
}

/** The same where no shell stands around it. */
export function BareNotFound() {
  return (
    <main id="content">
      <NotFoundPage />
    </main>
  );
}

export function BareCrash(props: ErrorComponentProps) {
  return (
    <main id="content">
      <CrashPage {...props} />
    </main>
  );
}
