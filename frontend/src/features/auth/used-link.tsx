import { Alert, Button, Stack } from '@mantine/core';

import { MarkedText } from '@/components/ui/marked-text';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-account';

/** In place of the form: no password will do any more, only a new link. */
export function UsedLink({ error }: { error: string }) {
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
