/** The five upload calls and a store, in memory, with faults on demand. For tests. */

import { ApiError } from '@/lib/errors';

import type { Put, UploadApi } from '@/features/upload/ports';

interface Upload {
  fileId: string;
  size: number;
  method: 'single' | 'multipart';
  parts: Map<number, { etag: string; size: number }>;
  single: boolean;
  complete: boolean;
}

const SINGLE_LIMIT = 8;
const PART_SIZE = 4;

export class FakeServer {
  readonly uploads = new Map<string, Upload>();
  readonly aborted: string[] = [];
  readonly jobs: { fileId: string; key: string }[] = [];
  /** Part numbers in the order of their PUTs. */
  readonly puts: number[] = [];
  inFlight = 0;
  maxInFlight = 0;
  /** Asked before each PUT: a status to answer, 'drop' to break the line, or nothing. */
  fault: (part: number, attempt: number) => number | 'drop' | undefined = () => undefined;
  /** Asked before each job is made. */
  jobFault: () => Error | undefined = () => undefined;
  /** Holds every PUT back until it resolves. */
  gate: Promise<void> = Promise.resolve();
  private attempts = new Map<number, number>();
  private next = 1;
  private urlAge = 0;

  /** Makes all addresses given out so far useless. */
  expireUrls(): void {
    this.urlAge += 1;
  }

  readonly api: UploadApi = {
    presign: ({ size }) => {
      const id = `up-${String(this.next++)}`;
      const method = size <= SINGLE_LIMIT ? 'single' : 'multipart';
      const upload: Upload = {
        fileId: `file-${id}`,
        size,
        method,
        parts: new Map(),
        single: false,
        complete: false,
      };
      this.uploads.set(id, upload);
      return Promise.resolve({
        upload_id: id,
        file_id: upload.fileId,
        method,
        headers: {},
        expires_at: '2030-01-01T00:00:00Z',
        ...(method === 'single'
          ? { url: this.url(id, 0) }
          : { part_size: PART_SIZE, part_count: Math.ceil(size / PART_SIZE) }),
      });
    },
    signParts: (id, numbers) => {
      this.get(id);
      return Promise.resolve({
        parts: numbers.map((n) => ({ part_number: n, size: PART_SIZE, url: this.url(id, n) })),
      });
    },
    listParts: (id) => {
      const parts = [...this.get(id).parts].map(([part_number, part]) => ({
        part_number,
        ...part,
      }));
      return Promise.resolve({ parts });
    },
    complete: (id, parts) => {
      const upload = this.get(id);
      const whole =
        upload.method === 'single'
          ? upload.single
          : [...upload.parts.values()].reduce((sum, part) => sum + part.size, 0) === upload.size &&
            parts?.every((part) => upload.parts.get(part.part_number)?.etag === part.etag);
      if (!whole) {
        throw new ApiError(409, { code: 'conflict', message: 'Parts are missing.' });
      }
      upload.complete = true;
      return Promise.resolve({
        id: upload.fileId,
        filename: 'x',
        size: upload.size,
        content_type: 'audio/wav',
        created_at: '2026-11-21T08:00:00Z',
      });
    },
    abort: (id) => {
      this.aborted.push(id);
      this.uploads.delete(id);
      return Promise.resolve();
    },
    createJob: (body, key) => {
      const error = this.jobFault();
      if (error) return Promise.reject(error);
      const fileId = String(body.file_id);
      this.jobs.push({ fileId, key });
      return Promise.resolve({ id: `job-${fileId}` } as Awaited<
        ReturnType<UploadApi['createJob']>
      >);
    },
  };

  readonly put: Put = async ({ url, body, signal, onProgress }) => {
    const [, id = '', part = '', age = ''] = /^\/store\/(.+)\/(\d+)\?age=(\d+)$/.exec(url) ?? [];
    const n = Number(part);
    const attempt = (this.attempts.get(n) ?? 0) + 1;
    this.attempts.set(n, attempt);
    this.puts.push(n);
    this.inFlight += 1;
    this.maxInFlight = Math.max(this.maxInFlight, this.inFlight);
    try {
      onProgress(Math.floor(body.size / 2));
      await orAborted(this.gate, signal);
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (signal.aborted) throw new DOMException('stopped', 'AbortError');
      if (Number(age) < this.urlAge) return { status: 403, etag: null };
      const fault = this.fault(n, attempt);
      if (fault === 'drop') throw new TypeError('line broke');
      if (fault) return { status: fault, etag: null };
      const upload = this.get(id);
      if (n === 0) upload.single = true;
      else upload.parts.set(n, { etag: `"${String(n)}"`, size: body.size });
      onProgress(body.size);
      return { status: 200, etag: `"${String(n)}"` };
    } finally {
      this.inFlight -= 1;
    }
  };

  private url(id: string, part: number): string {
    return `/store/${id}/${String(part)}?age=${String(this.urlAge)}`;
  }

  private get(id: string): Upload {
    const upload = this.uploads.get(id);
    if (!upload) throw new ApiError(404, { code: 'not_found', message: 'No such upload.' });
    return upload;
  }
}

function orAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      reject(new DOMException('stopped', 'AbortError'));
    };
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    void work.then(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    });
  });
}
