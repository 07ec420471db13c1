import { Center, Loader } from '@mantine/core';

import { t } from '@/lib/i18n';

export function PageLoader() {
  return (
    <Center mih="50vh" role="status" aria-label={t('loading')}>
      <Loader />
    </Center>
  );
}
