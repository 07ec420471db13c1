import { Button, Menu } from '@mantine/core';
import { IconChevronDown, IconDownload } from '@tabler/icons-react';
import { useState } from 'react';

import type { DownloadFormat } from '@/api/jobs';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-share';
import { notifyError } from '@/components/ui/notify';

const FORMATS: readonly DownloadFormat[] = ['txt', 'srt', 'vtt', 'json'];

interface Props {
  onText: (format: DownloadFormat) => Promise<void>;
  /** Undefined where the sound is not offered here. */
  onSound?: () => Promise<void>;
}

export function DownloadMenu({ onText, onSound }: Props) {
  const [busy, setBusy] = useState(false);
  const download = async (work: () => Promise<void>) => {
    setBusy(true);
    try {
      await work();
    } catch (error) {
      notifyError(error, t('transcript.downloadFailed'));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Menu position="bottom-end" width={250}>
      <Menu.Target>
        <Button
          h={44}
          loading={busy}
          leftSection={<IconDownload size={18} />}
          rightSection={<IconChevronDown size={16} />}
        >
          {t('transcript.download')}
        </Button>
      </Menu.Target>
      <Menu.Dropdown aria-label={t('transcript.download')}>
        {FORMATS.map((format) => (
          <Menu.Item key={format} onClick={() => void download(() => onText(format))}>
            {t(`transcript.format.${format}`)}
          </Menu.Item>
        ))}
        {onSound ? (
          <Menu.Item onClick={() => void download(onSound)}>{t('shared.sound')}</Menu.Item>
        ) : null}
      </Menu.Dropdown>
    </Menu>
  );
}
