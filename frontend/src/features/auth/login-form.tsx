import { Alert, Anchor, Button, PasswordInput, Stack, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useState } from 'react';

import { login } from '@/api/auth';
import { useOptions } from '@/api/options';
import { MarkedText } from '@/components/ui/marked-text';
import { errorText } from '@/lib/error-text';
import { ApiError } from '@/lib/errors';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-account';

import { CheckInbox } from './check-inbox';
import { checkEmail } from './validation';

const focusOnce = (input: HTMLInputElement | null) => {
  input?.focus();
};

interface Props {
  onDone: () => void;
  registerHref: string;
}

export function LoginForm({ onDone, registerHref }: Props) {
  const options = useOptions().data;
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [asksCode, setAsksCode] = useState(false);
  const [waitsFor, setWaitsFor] = useState<string | null>(null);
  const form = useForm({
    mode: 'uncontrolled',
    initialValues: { email: '', password: '', code: '' },
    validate: {
      email: checkEmail,
      password: (value) => (value ? null : t('field.passwordMissing')),
      code: (value) => (asksCode && !value.trim() ? t('factor.codeMissing') : null),
    },
  });

  const submit = form.onSubmit(async ({ email, password, code }) => {
    setBusy(true);
    setError(null);
    try {
      await login(email.trim(), password, code.trim());
      onDone();
    } catch (failure) {
      const code = failure instanceof ApiError ? failure.code : '';
      if (code === 'totp_required') setAsksCode(true);
      else if (code === 'email_unverified') setWaitsFor(email.trim());
      else if (code === 'totp_invalid') form.setFieldError('code', t('factor.wrong'));
      else setError(code === 'unauthenticated' ? t('login.wrong') : errorText(failure));
    } finally {
      setBusy(false);
    }
  });

  if (waitsFor) return <CheckInbox email={waitsFor} />;
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        {options?.needs_first_account ? (
          <Alert variant="light" color="iris">
            {t('login.firstAccount')}{' '}
            <Anchor href={registerHref} underline="always" inherit>
              {t('login.firstAccountAction')}
            </Anchor>
          </Alert>
        ) : null}
        {error ? (
          <Alert color="red" variant="light" role="alert">
            <MarkedText text={error} />
          </Alert>
        ) : null}
        <TextInput
          label={t('field.email')}
          type="email"
          autoComplete="username"
          size="md"
          key={form.key('email')}
          {...form.getInputProps('email')}
        />
        <PasswordInput
          label={t('field.password')}
          autoComplete="current-password"
          size="md"
          key={form.key('password')}
          {...form.getInputProps('password')}
          aria-invalid={Boolean(form.errors.password)}
        />
        {asksCode ? (
          <TextInput
            label={t('factor.code')}
            description={t('factor.codeHint')}
            autoComplete="one-time-code"
            inputMode="text"
            ref={focusOnce}
            size="md"
            key={form.key('code')}
            {...form.getInputProps('code')}
          />
        ) : null}
        <Button type="submit" size="md" loading={busy} fullWidth>
          {t('login.submit')}
        </Button>
        <Text size="sm" ta="center">
          <Anchor href="/forgot" underline="always" inherit>
            {t('login.forgot')}
          </Anchor>
        </Text>
        {options?.allow_registration || options?.needs_first_account ? (
          <Text size="sm" ta="center">
            {t('login.noAccount')}{' '}
            <Anchor href={registerHref} underline="always" inherit>
              {t('login.register')}
            </Anchor>
          </Text>
        ) : null}
      </Stack>
    </form>
  );
}
