import { Alert, Anchor, Button, Stack, Text, TextInput } from '@mantine/core';
import { useState, type SubmitEvent } from 'react';

import { proveFactor } from '@/api/oidc';
import { errorText } from '@/lib/error-text';
import { ApiError } from '@/lib/errors';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-account';
import '@/lib/i18n/en-oidc';

const focusOnce = (input: HTMLInputElement | null) => {
  input?.focus();
};

/** The second factor, after the provider has said who it is. */
export function ProviderFactorForm({ onDone }: { onDone: () => void }) {
  const [code, setCode] = useState('');
  const [wrong, setWrong] = useState<string | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (!code.trim()) {
      setWrong(t('factor.codeMissing'));
      return;
    }
    setBusy(true);
    setWrong(null);
    setError(null);
    try {
      await proveFactor(code.trim());
      onDone();
    } catch (failure) {
      const kind = failure instanceof ApiError ? failure.code : '';
      if (kind === 'totp_invalid') setWrong(t('factor.wrong'));
      else setError(kind === 'oidc_expired' ? t('oidc.codeExpired') : errorText(failure));
    } finally {
      setBusy(false);
    }
  };

  return (
    <form onSubmit={(event) => void submit(event)} noValidate>
      <Stack>
        {error ? (
          <Alert color="red" variant="light" role="alert">
            {error}
          </Alert>
        ) : null}
        <TextInput
          label={t('factor.code')}
          description={t('factor.codeHint')}
          autoComplete="one-time-code"
          size="md"
          ref={focusOnce}
          value={code}
          error={wrong}
          onChange={(event) => {
            setCode(event.currentTarget.value);
          }}
        />
        <Button type="submit" size="md" loading={busy} fullWidth>
          {t('login.submit')}
        </Button>
        <Text size="sm" ta="center">
          <Anchor href="/login" underline="always" inherit>
            {t('oidc.startAgain')}
          </Anchor>
        </Text>
      </Stack>
    </form>
  );
}
