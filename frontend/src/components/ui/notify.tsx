/** Short messages in the corner. */

import { notifications } from '@mantine/notifications';

import { errorText } from '@/lib/error-text';
import { t } from '@/lib/i18n';

import { MarkedText } from './marked-text';

export function notifyDone(message: string): void {
  notifications.show({ message, color: 'green', autoClose: 4000 });
}

export function notifyError(error: unknown, title: string = t('error.title')): void {
  notifications.show({
    title,
    message: <MarkedText text={errorText(error)} />,
    color: 'red',
    autoClose: 8000,
  });
}
