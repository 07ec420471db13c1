import { Button, PasswordInput, Stack, Text, Title } from '@mantine/core';
import { useState, type ReactNode, type SubmitEvent } from 'react';

import { unlockShare } from '@/api/shared';
import { fieldError } from '@/components/ui/field-error';
import { ApiError } from '@/lib/errors';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-share';

/** The password of a link. */
export function UnlockForm({ token, onDone }: { token: string; onDone: () => void }) {
  const [password, setPassword] = useState('');
  const [error, setError] = useState<ReactNode>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await unlockShare(token, password);
      onDone();
    } catch (failure) {
      const wrong = failure instanceof ApiError && failure.code === 'wrong_password';
      setError(wrong ? t('shared.wrong') : fieldError(failure));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      className="card"
      style={{ padding: 24, maxWidth: 400, margin: '8vh auto 0' }}
      onSubmit={(event) => void submit(event)}
    >
      <Stack>
        <div>
          <Title order={1} fz={20}>
            {t('shared.locked')}
          </Title>
          <Text c="dimmed" size="sm" mt={4}>
            {t('shared.lockedText')}
          </Text>
        </div>
        <PasswordInput
          label={t('field.password')}
          autoComplete="off"
          size="md"
          value={password}
          error={error}
          onChange={(event) => {
            setError(null);
            setPassword(event.currentTarget.value);
          }}
        />
        <Button type="submit" size="md" loading={busy} disabled={!password} fullWidth>
          {t('shared.unlock')}
        </Button>
      </Stack>
    </form>
  );
}
