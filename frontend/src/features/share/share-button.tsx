import { Button, Loader, Modal } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconShare } from '@tabler/icons-react';
import { lazy, Suspense } from 'react';

import { t } from '@/lib/i18n';
import '@/lib/i18n/en-share';

const ShareDialog = lazy(() =>
  import('./share-dialog').then((part) => ({ default: part.ShareDialog })),
);

/** Opens everything about sharing one transcript. */
export function ShareButton({ jobId, name }: { jobId: string; name: string }) {
  const [open, dialog] = useDisclosure(false);
  return (
    <>
      <Button
        h={44}
        variant="default"
        leftSection={<IconShare size={18} />}
        onClick={dialog.open}
        aria-haspopup="dialog"
      >
        {t('share.open')}
      </Button>
      <Modal
        opened={open}
        onClose={dialog.close}
        title={t('share.title', { name })}
        size="lg"
        // The address of a new link is shown once: a click beside it must not lose it.
        closeOnClickOutside={false}
        centered
      >
        <Suspense fallback={<Loader aria-label={t('loading')} mx="auto" />}>
          <ShareDialog jobId={jobId} />
        </Suspense>
      </Modal>
    </>
  );
}
