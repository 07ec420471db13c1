/** What is known about the account, saved as a file. */

import { nameFromDisposition, saveBlob } from '@/lib/download';
import { errorFrom } from '@/lib/errors';

import { authFetch } from './client';

export async function exportAccount(): Promise<void> {
  const response = await authFetch('/api/auth/export');
  if (!response.ok) throw await errorFrom(response);
  const name = nameFromDisposition(response.headers.get('content-disposition'));
  saveBlob(await response.blob(), name ?? 'account.json');
}
