/**
 * Sends one file through presign, parts and complete. Knows nothing of React or of the queue.
 * A part that fails is tried again with growing pauses; an address that has expired is asked for
 * anew; a file whose upload was begun before a reload sends only the parts that are missing.
 */

import { PARALLEL_PARTS, PART_ATTEMPTS, SIGN_BATCH } from '@/config/constants';
import { backoffMs, isAbort, sleep } from '@/lib/backoff';
import { ApiError } from '@/lib/errors';
import type { MediaFile } from '@/api/types';

import { fingerprints } from './fingerprints';
import type { Put, UploadApi } from './ports';

export interface EngineDeps {
  api: UploadApi;
  put: Put;
  /** First pause between tries, in ms. */
  retryBaseMs?: number;
}

export interface SendOptions {
  signal: AbortSignal;
  onProgress: (sentBytes: number) => void;
  onFinishing: () => void;
}

interface Plan {
  uploadId: string;
  partSize: number;
  partCount: number;
  /** ETags of the parts the server has. */
  done: Map<number, string>;
}

export class FileUpload {
  private readonly urls = new Map<number, string>();
  private signing: Promise<void> | null = null;
  private uploadId: string | null = null;

  constructor(
    private readonly file: File,
    private readonly deps: EngineDeps,
  ) {}

  /** Sends what is missing. After a pause (abort) it may be called again. */
  async send(options: SendOptions): Promise<MediaFile> {
    const plan = (await this.resumePlan(options.signal)) ?? (await this.newPlan(options));
    if (plan === 'sent') return this.finish(options, undefined);
    await this.sendParts(plan, options);
    const parts = [...plan.done]
      .sort(([a], [b]) => a - b)
      .map(([part_number, etag]) => ({ part_number, etag }));
    return this.finish(options, parts);
  }

  /** Gives the upload up, on the server too. */
  async discard(): Promise<void> {
    const uploadId = this.uploadId ?? fingerprints.find(this.file)?.upload_id;
    if (!uploadId) return;
    fingerprints.forget(uploadId);
    await this.deps.api.abort(uploadId).catch(() => undefined);
  }

  private async finish(
    options: SendOptions,
    parts: { part_number: number; etag: string }[] | undefined,
  ): Promise<MediaFile> {
    options.onFinishing();
    const uploadId = this.uploadId ?? '';
    const media = await this.again(options.signal, () => this.deps.api.complete(uploadId, parts));
    fingerprints.forget(uploadId);
    return media;
  }

  private async resumePlan(signal: AbortSignal): Promise<Plan | null> {
    const known = fingerprints.find(this.file);
    if (!known) return null;
    try {
      const { parts } = await this.again(signal, () => this.deps.api.listParts(known.upload_id));
      const done = new Map<number, string>();
      for (const part of parts) if (part.etag) done.set(part.part_number, part.etag);
      this.uploadId = known.upload_id;
      return {
        uploadId: known.upload_id,
        partSize: known.part_size,
        partCount: known.part_count,
        done,
      };
    } catch (error) {
      // The server has dropped it (or it is another account's): begin anew.
      if (!(error instanceof ApiError) || error.status >= 500) throw error;
      fingerprints.forget(known.upload_id);
      return null;
    }
  }

  private async newPlan(options: SendOptions): Promise<Plan | 'sent'> {
    const { file } = this;
    for (let renewals = 0; ; renewals++) {
      const ticket = await this.again(options.signal, () =>
        this.deps.api.presign({
          filename: file.name,
          size: file.size,
          content_type: file.type || undefined,
        }),
      );
      this.uploadId = ticket.upload_id;
      if (ticket.method === 'multipart') {
        const partSize = ticket.part_size ?? file.size;
        const partCount = ticket.part_count ?? Math.ceil(file.size / partSize);
        fingerprints.remember(file, {
          upload_id: ticket.upload_id,
          file_id: ticket.file_id,
          part_size: partSize,
          part_count: partCount,
          started_at: new Date().toISOString(),
        });
        return { uploadId: ticket.upload_id, partSize, partCount, done: new Map() };
      }
      const sent = await this.again(options.signal, () =>
        this.putOnce(ticket.url ?? '', file, ticket.headers, options.signal, options.onProgress),
      );
      if (sent.status < 300) return 'sent';
      // 403: the address expired on the way. Two new ones are enough for any honest server.
      if (sent.status !== 403 || renewals >= 2) throw refused(sent.status);
      await this.deps.api.abort(ticket.upload_id).catch(() => undefined);
    }
  }

  private async sendParts(plan: Plan, options: SendOptions): Promise<void> {
    const { file } = this;
    const sizeOf = (n: number) => Math.min(plan.partSize, file.size - (n - 1) * plan.partSize);
    const inFlight = new Map<number, number>();
    const report = () => {
      let sent = 0;
      for (const n of plan.done.keys()) sent += sizeOf(n);
      for (const bytes of inFlight.values()) sent += bytes;
      options.onProgress(Math.min(sent, file.size));
    };
    const missing: number[] = [];
    for (let n = 1; n <= plan.partCount; n++) if (!plan.done.has(n)) missing.push(n);
    report();

    // One part that is lost for good stops its siblings at once.
    const stop = new AbortController();
    const signal = AbortSignal.any([options.signal, stop.signal]);
    const worker = async () => {
      for (let n = missing.shift(); n !== undefined; n = missing.shift()) {
        const start = (n - 1) * plan.partSize;
        const body = file.slice(start, start + sizeOf(n));
        const upcoming = [n, ...missing.slice(0, SIGN_BATCH - 1)];
        const etag = await this.sendPart(plan.uploadId, n, upcoming, body, signal, (bytes) => {
          inFlight.set(n as number, bytes);
          report();
        });
        inFlight.delete(n);
        plan.done.set(n, etag);
        report();
      }
    };
    try {
      await Promise.all(Array.from({ length: PARALLEL_PARTS }, worker));
    } catch (error) {
      stop.abort(new DOMException('A sibling part failed', 'AbortError'));
      throw error;
    }
  }

  private async sendPart(
    uploadId: string,
    n: number,
    upcoming: number[],
    body: Blob,
    signal: AbortSignal,
    onProgress: (bytes: number) => void,
  ): Promise<string> {
    let renewals = 0;
    return this.again(signal, async () => {
      for (;;) {
        const url = await this.urlOf(uploadId, n, upcoming, signal);
        const sent = await this.putOnce(url, body, {}, signal, onProgress);
        if (sent.status < 300) return sent.etag ?? '';
        this.urls.delete(n);
        if (sent.status !== 403 || renewals++ >= 2) throw refused(sent.status);
        // Its neighbours were signed together and have expired together.
        this.urls.clear();
      }
    });
  }

  private async putOnce(
    url: string,
    body: Blob,
    headers: Record<string, string>,
    signal: AbortSignal,
    onProgress: (bytes: number) => void,
  ) {
    onProgress(0);
    const sent = await this.deps.put({ url, body, headers, signal, onProgress });
    if (sent.status >= 500 || [408, 429].includes(sent.status)) throw refused(sent.status);
    return sent;
  }

  private async urlOf(
    uploadId: string,
    n: number,
    upcoming: number[],
    signal: AbortSignal,
  ): Promise<string> {
    for (;;) {
      const url = this.urls.get(n);
      if (url) return url;
      if (signal.aborted) throw signal.reason as Error;
      // Workers share one call, then look again.
      const wanted = upcoming.filter((part) => !this.urls.has(part));
      const mine = this.signing === null;
      this.signing ??= this.sign(uploadId, wanted).finally(() => {
        this.signing = null;
      });
      await this.signing;
      if (mine && !this.urls.has(n)) throw refused(0);
    }
  }

  private async sign(uploadId: string, partNumbers: number[]): Promise<void> {
    const { parts } = await this.deps.api.signParts(uploadId, partNumbers);
    for (const part of parts) if (part.url) this.urls.set(part.part_number, part.url);
  }

  /** Tries again what may pass: a broken line, 5xx, 408, 429. */
  private async again<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      if (signal.aborted) throw signal.reason as Error;
      try {
        return await work();
      } catch (error) {
        if (signal.aborted || isAbort(error)) throw error;
        const final =
          error instanceof ApiError && error.status < 500 && ![408, 429].includes(error.status);
        if (final || attempt + 1 >= PART_ATTEMPTS) throw error;
        const asked = error instanceof ApiError ? (error.retryAfter ?? 0) * 1000 : 0;
        await sleep(Math.max(asked, backoffMs(attempt, this.deps.retryBaseMs)), signal);
      }
    }
  }
}

function refused(status: number): ApiError {
  return new ApiError(status, {
    code: 'upload_refused',
    message: `The store refused a part of the file (status ${String(status)}).`,
  });
}
