import { Button, Menu } from '@mantine/core';
import { IconChevronDown, IconDownload } from '@tabler/icons-react';
import { useState } from 'react';

import { downloadTranscript, type DownloadFormat } from '@/api/jobs';
import { t } from '@/lib/i18n';
import { notifyError } from '@/components/ui/notify';

const FORMATS: readonly DownloadFormat[] = ['txt', 'srt', 'vtt', 'json'];

export function DownloadMenu({ jobId }: { jobId: string }) {
  const [busy, setBusy] = useState(false);
  const download = async (format: DownloadFormat) => {
    setBusy(true);
    try {
      await downloadTranscript(jobId, format);
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
          <Menu.Item key={format} onClick={() => void download(format)}>
            {t(`transcript.format.${format}`)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
