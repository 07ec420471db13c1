/** One sentence for any error. The server's own sentence comes first. */

import { ApiError, NetworkError } from './errors';
import { t } from './i18n';

export function errorText(error: unknown): string {
  if (error instanceof NetworkError) return t('error.network');
  if (error instanceof ApiError) {
    if (error.status === 429) {
      return t('error.rateLimited', { seconds: error.retryAfter ?? 30 });
    }
    if (error.code.startsWith('http_') && error.status >= 500) return t('error.unavailable');
    return error.message;
  }
  return t('error.unexpected');
}

export function requestIdOf(error: unknown): string | null {
  return error instanceof ApiError ? error.requestId : null;
}
