import { Alert, Button, PasswordInput, Stack } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useState } from 'react';

import { changePassword } from '@/api/auth';
import { useOptions } from '@/api/options';
import { errorText } from '@/lib/error-text';
import { ApiError } from '@/lib/errors';
import { t } from '@/lib/i18n';
import { fieldError } from '@/components/ui/field-error';
import { MarkedText } from '@/components/ui/marked-text';
import { notifyDone } from '@/components/ui/notify';

export function PasswordForm({ email }: { email: string }) {
  const minLength = useOptions().data?.password_min_length ?? 12;
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const form = useForm({
    mode: 'uncontrolled',
    initialValues: { current: '', next: '', repeat: '' },
    validate: {
      current: (value) => (value ? null : t('field.passwordMissing')),
      next: (value, all) => {
        const length = [...value].length;
        if (length < minLength) {
          return t('field.passwordShort', { count: minLength, left: minLength - length });
        }
        return value === all.current ? t('security.same') : null;
      },
      repeat: (value, all) => (value === all.next ? null : t('security.mismatch')),
    },
  });

  const submit = form.onSubmit(async ({ current, next }) => {
    setBusy(true);
    setError(null);
    try {
      await changePassword(current, next);
      form.reset();
      notifyDone(t('security.done'));
    } catch (failure) {
      if (failure instanceof ApiError && failure.code === 'wrong_password') {
        form.setFieldError('current', t('security.wrong'));
      } else if (failure instanceof ApiError && failure.field) {
        form.setFieldError('next', fieldError(failure));
      } else {
        setError(errorText(failure));
      }
    } finally {
      setBusy(false);
    }
  });

  return (
    <form onSubmit={submit} noValidate>
      {/* Lets password managers know whose password this is. */}
      <input type="text" autoComplete="username" value={email} readOnly hidden />
      <Stack>
        {error ? (
          <Alert color="red" variant="light" role="alert">
            <MarkedText text={error} />
          </Alert>
        ) : null}
        <PasswordInput
          label={t('security.current')}
          autoComplete="current-password"
          size="md"
          key={form.key('current')}
          {...form.getInputProps('current')}
          aria-invalid={Boolean(form.errors.current)}
        />
        <PasswordInput
          label={t('security.new')}
          description={t('field.passwordHint', { count: minLength })}
          autoComplete="new-password"
          size="md"
          key={form.key('next')}
          {...form.getInputProps('next')}
          aria-invalid={Boolean(form.errors.next)}
        />
        <PasswordInput
          label={t('security.repeat')}
          autoComplete="new-password"
          size="md"
          key={form.key('repeat')}
          {...form.getInputProps('repeat')}
          aria-invalid={Boolean(form.errors.repeat)}
        />
        <Button type="submit" size="md" loading={busy} style={{ alignSelf: 'flex-start' }}>
          {t('security.submit')}
        </Button>
      </Stack>
    </form>
  );
}
