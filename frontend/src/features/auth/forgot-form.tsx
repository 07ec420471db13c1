import { Alert, Button, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { IconMail } from '@tabler/icons-react';
import { useState } from 'react';

import { forgotPassword } from '@/api/account';
import { MarkedText } from '@/components/ui/marked-text';
import { errorText } from '@/lib/error-text';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-account';

import { checkEmail } from './validation';

/** Asks for a link to a new password. The answer never tells whether there is an account. */
export function ForgotForm() {
  const [error, setError] = useState<string | null>(null);
  const [sent, setSent] = useState<string | null>(null);
  const form = useForm({
    mode: 'uncontrolled',
    initialValues: { email: '' },
    validate: { email: checkEmail },
  });
  const submit = form.onSubmit(async ({ email }) => {
    setError(null);
    try {
      await forgotPassword(email.trim());
      setSent(email.trim());
    } catch (failure) {
      setError(errorText(failure));
    }
  });
  if (sent) {
    return (
      <Alert color="iris" variant="light" icon={<IconMail />} role="status">
        {t('forgot.sent', { email: sent })}
      </Alert>
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
        <TextInput
          label={t('field.email')}
          type="email"
          autoComplete="username"
          size="md"
          key={form.key('email')}
          {...form.getInputProps('email')}
        />
        <Button type="submit" size="md" loading={form.submitting} fullWidth>
          {t('forgot.submit')}
        </Button>
      </Stack>
    </form>
  );
}
