import { Button, Group, NativeSelect, PasswordInput, Stack, Switch } from '@mantine/core';
import { useState, type ReactNode, type SubmitEvent } from 'react';

import type { ShareCreate, ShareLink } from '@/api/types';
import { fieldError } from '@/components/ui/field-error';
import { ApiError, fieldName } from '@/lib/errors';
import { fullDate } from '@/lib/format';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-share';

type End = 'keep' | 'never' | 'day' | 'week' | 'month';

const DAYS: Partial<Record<End, number>> = { day: 1, week: 7, month: 30 };
const DAY_MS = 86_400_000;

interface Props {
  /** The link that is changed; without it a new one is made. */
  link?: ShareLink;
  action: string;
  onSubmit: (values: Partial<ShareCreate>) => Promise<void>;
  onCancel: () => void;
}

/** What a link asks for and offers. Of a link that there is, only what was touched is sent. */
export function LinkForm({ link, action, onSubmit, onCancel }: Props) {
  const [locked, setLocked] = useState(link?.has_password ?? false);
  const [password, setPassword] = useState('');
  const [end, setEnd] = useState<End>(link ? 'keep' : 'never');
  const [download, setDownload] = useState(link?.allow_download ?? false);
  const [refusal, setRefusal] = useState<{ field: string; text: ReactNode } | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setRefusal(null);
    const days = DAYS[end];
    const until = days ? new Date(Date.now() + days * DAY_MS).toISOString() : null;
    try {
      await onSubmit({
        allow_download: download,
        ...(locked && password ? { password } : {}),
        ...(link?.has_password && !locked ? { password: null } : {}),
        ...(end === 'keep' ? {} : { expires_at: until }),
      });
    } catch (failure) {
      const field = failure instanceof ApiError && failure.field ? fieldName(failure.field) : '';
      setRefusal({ field: field === 'expires_at' ? field : 'password', text: fieldError(failure) });
      setBusy(false);
    }
  };
  const needsPassword = locked && !link?.has_password;
  return (
    <form className="card" style={{ padding: 16 }} onSubmit={(event) => void submit(event)}>
      <Stack gap="sm">
        <Switch
          label={t('share.passwordKeep')}
          checked={locked}
          data-autofocus
          onChange={(event) => {
            setLocked(event.currentTarget.checked);
            setRefusal(null);
          }}
        />
        {locked ? (
          <PasswordInput
            label={t('share.password')}
            description={t(link?.has_password ? 'share.passwordNewHint' : 'share.passwordHint')}
            autoComplete="new-password"
            maxLength={256}
            value={password}
            onChange={(event) => {
              setPassword(event.currentTarget.value);
              setRefusal(null);
            }}
          />
        ) : null}
        <NativeSelect
          label={t('share.end')}
          value={end}
          error={refusal?.field === 'expires_at' ? refusal.text : null}
          data={endChoices(link)}
          onChange={(event) => {
            setEnd(event.currentTarget.value as End);
          }}
        />
        <Switch
          label={t('share.allowDownload')}
          description={t('share.allowDownloadHint')}
          checked={download}
          onChange={(event) => {
            setDownload(event.currentTarget.checked);
          }}
        />
        {refusal?.field === 'password' ? (
          <div role="alert" style={{ color: 'var(--mantine-color-error)', fontSize: 14 }}>
            {refusal.text}
          </div>
        ) : null}
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={onCancel}>
            {t('action.cancel')}
          </Button>
          <Button type="submit" loading={busy} disabled={needsPassword && password.length < 8}>
            {action}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function endChoices(link: ShareLink | undefined): { value: End; label: string }[] {
  const keep = link?.expires_at
    ? t('share.end.keep', { when: fullDate(link.expires_at) })
    : t('share.end.keepNever');
  return [
    ...(link ? [{ value: 'keep' as const, label: keep }] : []),
    ...(link && !link.expires_at ? [] : [{ value: 'never' as const, label: t('share.end.never') }]),
    { value: 'day', label: t('share.end.day') },
    { value: 'week', label: t('share.end.week') },
    { value: 'month', label: t('share.end.month') },
  ];
}
