import { Alert, Button, PasswordInput, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useState } from 'react';

import { register } from '@/api/auth';
import type { Options } from '@/api/types';
import { fieldError } from '@/components/ui/field-error';
import { MarkedText } from '@/components/ui/marked-text';
import { errorText } from '@/lib/error-text';
import { ApiError, fieldName } from '@/lib/errors';
import { t } from '@/lib/i18n';

import { CheckInbox } from './check-inbox';
import { checkEmail, checkNewPassword } from './validation';

const FIELDS = ['email', 'password', 'name', 'setup_token'];

interface Props {
  options: Options;
  /** For whoever was invited: the address is given, and registering joins. */
  invitation?: { token: string; email: string };
  onDone: () => void;
}

export function RegisterForm({ options, invitation, onDone }: Props) {
  const minLength = options.password_min_length;
  const needsToken = options.setup_token_required;
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [waitsFor, setWaitsFor] = useState<string | null>(null);
  const form = useForm({
    mode: 'uncontrolled',
    initialValues: { name: '', email: invitation?.email ?? '', password: '', setup_token: '' },
    validate: {
      email: checkEmail,
      password: (value) => checkNewPassword(value, minLength),
      setup_token: (value) => (needsToken && !value.trim() ? t('field.setupTokenMissing') : null),
    },
  });

  const submit = form.onSubmit(async (values) => {
    setBusy(true);
    setError(null);
    try {
      const signedIn = await register({
        email: values.email.trim(),
        password: values.password,
        name: values.name.trim() || undefined,
        setup_token: needsToken ? values.setup_token.trim() : undefined,
        invitation_token: invitation?.token,
      });
      if (signedIn) onDone();
      else setWaitsFor(values.email.trim());
    } catch (failure) {
      const field = failure instanceof ApiError && failure.field ? fieldName(failure.field) : '';
      if (failure instanceof ApiError && failure.code === 'conflict') {
        form.setFieldError('email', t('register.conflict'));
      } else if (FIELDS.includes(field)) {
        form.setFieldError(field, fieldError(failure));
      } else {
        setError(errorText(failure));
      }
    } finally {
      setBusy(false);
    }
  });

  if (waitsFor) return <CheckInbox email={waitsFor} />;
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        {error ? (
          <Alert color="red" variant="light" role="alert">
            <MarkedText text={error} />
          </Alert>
        ) : null}
        <TextInput
          label={`${t('field.name')} (${t('field.optional')})`}
          autoComplete="name"
          size="md"
          key={form.key('name')}
          {...form.getInputProps('name')}
        />
        <TextInput
          label={t('field.email')}
          type="email"
          autoComplete="username"
          readOnly={Boolean(invitation)}
          size="md"
          key={form.key('email')}
          {...form.getInputProps('email')}
        />
        <PasswordInput
          label={t('field.password')}
          description={t('field.passwordHint', { count: minLength })}
          autoComplete="new-password"
          size="md"
          key={form.key('password')}
          {...form.getInputProps('password')}
          aria-invalid={Boolean(form.errors.password)}
        />
        {needsToken ? (
          <TextInput
            label={t('register.setupToken')}
            description={t('register.setupTokenHint')}
            autoComplete="off"
            size="md"
            key={form.key('setup_token')}
            {...form.getInputProps('setup_token')}
          />
        ) : null}
        <Button type="submit" size="md" loading={busy} fullWidth>
          {t('register.submit')}
        </Button>
      </Stack>
    </form>
  );
}
