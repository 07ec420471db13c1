import { IconWifiOff } from '@tabler/icons-react';

import { useOnline } from '@/hooks/use-online';
import { t } from '@/lib/i18n';

import classes from './offline-notice.module.css';

export function OfflineNotice() {
  const online = useOnline();
  return (
    <div role="status">
      {online ? null : (
        <p className={classes.notice}>
          <IconWifiOff size={18} aria-hidden="true" />
          {t('offline.text')}
        </p>
      )}
    </div>
  );
}
