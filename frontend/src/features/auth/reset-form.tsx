import { Alert, Button, PasswordInput, Stack } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useState } from 'react';

import { resetPassword } from '@/api/account';
import { fieldError } from '@/components/ui/field-error';
import { MarkedText } from '@/components/ui/marked-text';
import { errorText } from '@/lib/error-text';
import { ApiError } from '@/lib/errors';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-account';

import { checkNewPassword } from './validation';

interface Props {
  token: string;
  minLength: number;
  onDone: () => void;
}

/** A new password by the token of a mailed link. */
export function ResetForm({ token, minLength, onDone }: Props) {
  const [error, setError] = useState<string | null>(null);
  const [gone, setGone] = useState(false);
  const form = useForm({
    mode: 'uncontrolled',
    initialValues: { password: '' },
    validate: { password: (value) => checkNewPassword(value, minLength) },
  });
  const submit = form.onSubmit(async ({ password }) => {
    setError(null);
    try {
      await resetPassword(token, password);
      onDone();
    } catch (failure) {
      if (failure instanceof ApiError && failure.field) {
        form.setFieldError('password', fieldError(failure));
      } else {
        setGone(failure instanceof ApiError && failure.status === 410);
        setError(errorText(failure));
      }
    }
  });
  // No password will do any more: the form goes, and a new link takes its place.
  if (gone && error) {
    return (
      <Stack>
        <Alert color="red" variant="light" role="alert">
          <MarkedText text={error} />
        </Alert>
        <Button component="a" href="/forgot" size="md" fullWidth>
          {t('reset.again')}
        </Button>
      </Stack>
    );
  }
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        {error ? (
          <Alert color="red" variant="light" role="alert">
            <MarkedText text={error} />
          </Alert>
        ) : null}
        <PasswordInput
          label={t('security.new')}
          description={t('field.passwordHint', { count: minLength })}
          autoComplete="new-password"
          size="md"
          key={form.key('password')}
          {...form.getInputProps('password')}
          aria-invalid={Boolean(form.errors.password)}
        />
        <Button type="submit" size="md" loading={form.submitting} fullWidth>
          {t('reset.submit')}
        </Button>
      </Stack>
    </form>
  );
}
