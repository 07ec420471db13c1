import { Button } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';

import { errorText, requestIdOf } from '@/lib/error-text';
import { t } from '@/lib/i18n';

import { CopyField } from './copy-field';
import { EmptyState } from './empty-state';
import { MarkedText } from './marked-text';

interface Props {
  error: unknown;
  title?: string;
  onRetry?: () => void;
}

export function ErrorState({ error, title, onRetry }: Props) {
  const requestId = requestIdOf(error);
  return (
    <div role="alert">
      <EmptyState
        icon={<IconAlertTriangle size={30} />}
        title={title ?? t('error.title')}
        text={<MarkedText text={errorText(error)} />}
      >
        {onRetry ? (
          <Button mt="xs" onClick={onRetry}>
            {t('action.retry')}
          </Button>
        ) : null}
        {requestId ? <CopyField label={t('error.requestId')} value={requestId} /> : null}
      </EmptyState>
    </div>
  );
}
