/** Short messages in the corner. */

import { notifications } from '@mantine/notifications';

import { t } from './i18n';
import { errorText } from './error-text';

export function notifyDone(message: string): void {
  notifications.show({ message, color: 'green', autoClose: 4000 });
}

export function notifyError(error: unknown, title: string = t('error.title')): void {
  notifications.show({ title, message: errorText(error), color: 'red', autoClose: 8000 });
}
