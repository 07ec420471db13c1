import { Alert, Button, Stack, Text } from '@mantine/core';
import { IconMail } from '@tabler/icons-react';
import { useState } from 'react';

import { resendVerification } from '@/api/account';
import { notifyDone, notifyError } from '@/components/ui/notify';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-account';

/** After registering on a server that verifies addresses: the rest happens in the mail. */
export function CheckInbox({ email }: { email: string }) {
  const [busy, setBusy] = useState(false);
  const again = async () => {
    setBusy(true);
    try {
      await resendVerification(email);
      notifyDone(t('verify.sentAgain'));
    } catch (error) {
      notifyError(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Stack>
      <Alert color="iris" variant="light" icon={<IconMail />} role="status">
        {t('verify.inbox', { email })}
      </Alert>
      <Text size="sm" c="dimmed">
        {t('verify.noMail')}
      </Text>
      <Button variant="default" loading={busy} onClick={() => void again()}>
        {t('verify.again')}
      </Button>
    </Stack>
  );
}
