/** What the upload engine needs from outside: the five calls, and a way to send bytes. */

import { http, unwrap } from '@/api/client';
import { inWorkspace } from '@/api/current-workspace';
import type { Job, JobCreate, MediaFile, PresignResponse, UploadParts } from '@/api/types';

/** Options that are left out take the server's defaults. */
export type NewJob = Pick<JobCreate, 'file_id'> & Partial<JobCreate>;

export interface UploadApi {
  presign(file: {
    filename: string;
    size: number;
    content_type?: string;
  }): Promise<PresignResponse>;
  signParts(uploadId: string, partNumbers: number[]): Promise<UploadParts>;
  listParts(uploadId: string): Promise<UploadParts>;
  complete(uploadId: string, parts?: { part_number: number; etag: string }[]): Promise<MediaFile>;
  abort(uploadId: string): Promise<void>;
  createJob(body: NewJob, idempotencyKey: string): Promise<Job>;
}

export interface PutResult {
  status: number;
  etag: string | null;
}

export interface PutRequest {
  url: string;
  body: Blob;
  headers: Record<string, string>;
  signal: AbortSignal;
  onProgress: (sentBytes: number) => void;
}

/** Sends bytes to a signed URL. Rejects on a broken line; any HTTP status resolves. */
export type Put = (request: PutRequest) => Promise<PutResult>;

const byUpload = (uploadId: string) => ({ params: { path: { upload_id: uploadId } } });

/** The calls in one workspace, whichever is shown meanwhile; null: the one that is shown at each call. */
export function uploadApi(workspace: string | null): UploadApi {
  const there = workspace ? inWorkspace(workspace) : { headers: {} };
  return {
    presign: (body) => unwrap(http.POST('/api/files/presign', { ...there, body })),
    signParts: (uploadId, partNumbers) =>
      unwrap(
        http.POST('/api/files/uploads/{upload_id}/parts', {
          ...there,
          ...byUpload(uploadId),
          body: { part_numbers: partNumbers },
        }),
      ),
    listParts: (uploadId) =>
      unwrap(http.GET('/api/files/uploads/{upload_id}/parts', { ...there, ...byUpload(uploadId) })),
    complete: (uploadId, parts) =>
      unwrap(http.POST('/api/files/complete', { ...there, body: { upload_id: uploadId, parts } })),
    abort: async (uploadId) => {
      await unwrap(
        http.DELETE('/api/files/uploads/{upload_id}', { ...there, ...byUpload(uploadId) }),
      );
    },
    createJob: (body, idempotencyKey) =>
      unwrap(
        http.POST('/api/jobs', {
          body: body as JobCreate,
          headers: { ...there.headers, 'Idempotency-Key': idempotencyKey },
        }),
      ),
  };
}

/** XMLHttpRequest, because fetch still tells nothing about upload progress. */
export const xhrPut: Put = ({ url, body, headers, signal, onProgress }) =>
  new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    const onAbort = () => {
      xhr.abort();
    };
    const settle = (act: () => void) => {
      signal.removeEventListener('abort', onAbort);
      act();
    };
    xhr.open('PUT', url);
    for (const [name, value] of Object.entries(headers)) {
      // The browser sets these itself and refuses to have them set.
      if (!/^(content-length|host)$/i.test(name)) xhr.setRequestHeader(name, value);
    }
    xhr.upload.onprogress = (event) => {
      onProgress(event.loaded);
    };
    xhr.onload = () => {
      settle(() => {
        // A bucket exposes its ETag on success only; to ask for it on an error is an error in the console.
        const etag = xhr.status < 300 ? xhr.getResponseHeader('ETag') : null;
        resolve({ status: xhr.status, etag });
      });
    };
    xhr.onerror = () => {
      settle(() => {
        reject(new TypeError('The line broke during an upload.'));
      });
    };
    xhr.onabort = () => {
      settle(() => {
        reject(new DOMException('Upload stopped', 'AbortError'));
      });
    };
    if (signal.aborted) {
      reject(new DOMException('Upload stopped', 'AbortError'));
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    xhr.send(body);
  });
