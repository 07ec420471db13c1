import { Alert, Button, Loader, PasswordInput, Stack } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { resetLinkQuery, resetPassword } from '@/api/account';
import { fieldError } from '@/components/ui/field-error';
import { MarkedText } from '@/components/ui/marked-text';
import { errorText } from '@/lib/error-text';
import { ApiError } from '@/lib/errors';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-account';

import { UsedLink } from './used-link';
import { checkNewPassword } from './validation';

interface Props {
  token: string;
  minLength: number;
  onDone: () => void;
}

/** A new password by the token of a mailed link, which is looked at before anything is asked. Where that cannot be told
 *  (the server is away for a moment), the form is there all the same. */
export function ResetForm({ token, minLength, onDone }: Props) {
  const [error, setError] = useState<string | null>(null);
  const link = useQuery(resetLinkQuery(token));
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
        setError(errorText(failure));
        if (failure instanceof ApiError && failure.status === 410) void link.refetch();
      }
    }
  });
  const used = link.error instanceof ApiError && link.error.status === 410 ? link.error : null;
  if (link.isPending) return <Loader aria-label={t('reset.checking')} mx="auto" />;
  if (used) return <UsedLink error={errorText(used)} />;
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
