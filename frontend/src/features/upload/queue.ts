/** All files of this visit. Lives outside React, so that uploads survive a change of page. */

import { choiceField, type ChoiceField, type JobChoices } from '@/api/choices';
import { currentWorkspace } from '@/api/current-workspace';
import { PARALLEL_FILES } from '@/config/constants';
import { isAbort, sleep } from '@/lib/backoff';
import { errorText } from '@/lib/error-text';
import { ApiError } from '@/lib/errors';
import { binaryBytes } from '@/lib/format';
import { t } from '@/lib/i18n';
import { randomId } from '@/lib/ids';
import { Store } from '@/lib/store';

import { FileUpload, type EngineDeps } from './engine';
import { fingerprints } from './fingerprints';
import { uploadApi, xhrPut } from './ports';

export type ItemState =
  'queued' | 'uploading' | 'paused' | 'finishing' | 'creating' | 'done' | 'failed';

export interface QueueItem {
  id: string;
  name: string;
  size: number;
  state: ItemState;
  sent: number;
  error: string | null;
  /** The option that the server refused, where it was one. */
  field: ChoiceField | null;
  /** Trying again cannot help: the file itself is the matter. */
  refused: boolean;
  jobId: string | null;
}

interface Entry {
  file: File;
  upload: FileUpload;
  deps: EngineDeps;
  choices: JobChoices;
  fileId: string | null;
  abort: AbortController | null;
}

const BUSY: readonly ItemState[] = ['queued', 'uploading', 'finishing', 'creating'];

export const isBusy = (item: QueueItem): boolean => BUSY.includes(item.state);

export class UploadQueue {
  readonly items = new Store<readonly QueueItem[]>([]);
  private readonly entries = new Map<string, Entry>();

  constructor(
    /** Asked for each file: an upload stays in the workspace in which it began. */
    private readonly depsNow: () => EngineDeps,
    private readonly onJob: (jobId: string) => void = () => undefined,
  ) {}

  /** Adds files. Returns the names of those already in the list. */
  add(files: Iterable<File>, choices: JobChoices, maxBytes: number | null): string[] {
    const duplicates: string[] = [];
    const deps = this.depsNow();
    for (const file of files) {
      if (this.has(file)) {
        duplicates.push(file.name);
        continue;
      }
      const id = randomId();
      this.entries.set(id, {
        file,
        upload: new FileUpload(file, deps),
        deps,
        choices,
        fileId: null,
        abort: null,
      });
      const problem = refusal(file, maxBytes);
      this.items.update((items) => [
        ...items,
        {
          id,
          name: file.name,
          size: file.size,
          state: problem ? 'failed' : 'queued',
          sent: 0,
          error: problem,
          field: null,
          refused: problem !== null,
          jobId: null,
        },
      ]);
    }
    this.pump();
    return duplicates;
  }

  pause(id: string): void {
    const item = this.item(id);
    if (item?.state !== 'queued' && item?.state !== 'uploading') return;
    this.patch(id, { state: 'paused' });
    this.entries.get(id)?.abort?.abort(new DOMException('Paused', 'AbortError'));
  }

  /** Goes on after a pause or a failure. Where an option was refused, with the options of now. */
  resume(id: string, choices?: JobChoices): void {
    const item = this.item(id);
    const entry = this.entries.get(id);
    if (!entry || (item?.state !== 'paused' && item?.state !== 'failed')) return;
    if (item.field && choices) entry.choices = choices;
    this.patch(id, { state: 'queued', error: null, field: null });
    this.pump();
  }

  remove(id: string): void {
    const entry = this.entries.get(id);
    const done = this.item(id)?.state === 'done';
    this.items.update((items) => items.filter((item) => item.id !== id));
    this.entries.delete(id);
    entry?.abort?.abort(new DOMException('Removed', 'AbortError'));
    if (!done) void entry?.upload.discard();
    this.pump();
  }

  pauseAll(): void {
    for (const item of this.items.get()) this.pause(item.id);
  }

  resumeAll(): void {
    for (const item of this.items.get()) if (item.state === 'paused') this.resume(item.id);
  }

  clearDone(): void {
    for (const item of this.items.get()) if (item.state === 'done') this.remove(item.id);
  }

  /** Stops everything, for sign-out: another account must not inherit it. */
  reset(): void {
    for (const entry of this.entries.values()) {
      entry.abort?.abort(new DOMException('Signed out', 'AbortError'));
    }
    this.entries.clear();
    this.items.set([]);
    fingerprints.clear();
  }

  get busy(): boolean {
    return this.items.get().some(isBusy);
  }

  private has(file: File): boolean {
    return this.items.get().some((item) => {
      const known = this.entries.get(item.id)?.file;
      return (
        item.state !== 'done' &&
        item.state !== 'failed' &&
        known?.name === file.name &&
        known.size === file.size &&
        known.lastModified === file.lastModified
      );
    });
  }

  private item(id: string): QueueItem | undefined {
    return this.items.get().find((item) => item.id === id);
  }

  private patch(id: string, change: Partial<QueueItem>): void {
    this.items.update((items) =>
      items.map((item) => (item.id === id ? { ...item, ...change } : item)),
    );
  }

  private pump(): void {
    const running = this.items
      .get()
      .filter((item) => isBusy(item) && item.state !== 'queued').length;
    const waiting = this.items.get().filter((item) => item.state === 'queued');
    for (const item of waiting.slice(0, Math.max(0, PARALLEL_FILES - running))) {
      void this.run(item.id);
    }
  }

  private async run(id: string): Promise<void> {
    const entry = this.entries.get(id);
    if (!entry) return;
    const abort = new AbortController();
    entry.abort = abort;
    this.patch(id, { state: 'uploading' });
    try {
      // An upload that is whole already only lacks its job.
      entry.fileId ??= await this.send(id, entry, abort.signal);
      this.patch(id, { state: 'creating', sent: entry.file.size });
      const body = { ...entry.choices, file_id: entry.fileId };
      const job = await whenThereIsRoom(() => entry.deps.api.createJob(body, id), abort.signal);
      this.patch(id, { state: 'done', jobId: job.id });
      this.onJob(job.id);
    } catch (error) {
      if (!abort.signal.aborted && !isAbort(error)) {
        const field = error instanceof ApiError ? choiceField(error.field) : null;
        this.patch(id, { state: 'failed', error: errorText(error), field });
      }
    } finally {
      if (entry.abort === abort) entry.abort = null;
      this.pump();
    }
  }

  private async send(id: string, entry: Entry, signal: AbortSignal): Promise<string> {
    const media = await entry.upload.send({
      signal,
      onProgress: (sent) => {
        if (!signal.aborted) this.patch(id, { sent });
      },
      onFinishing: () => {
        this.patch(id, { state: 'finishing', sent: entry.file.size });
      },
    });
    return media.id;
  }
}

/** A server that counts says when the next job may come: a whole folder of files takes its turn. */
async function whenThereIsRoom<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 429 || error.retryAfter === null)
        throw error;
      await sleep(error.retryAfter * 1000, signal);
    }
  }
}

function refusal(file: File, maxBytes: number | null): string | null {
  if (file.size === 0) return t('queue.empty');
  if (maxBytes !== null && file.size > maxBytes) {
    return t('queue.tooLarge', { size: binaryBytes(file.size), limit: binaryBytes(maxBytes) });
  }
  return null;
}

/** Told by the app what to do when a job was made (refresh lists). */
export const jobMade = new Store<string | null>(null);

export const uploadQueue = new UploadQueue(
  () => ({ api: uploadApi(currentWorkspace.id), put: xhrPut }),
  (jobId) => {
    jobMade.set(jobId);
  },
);

addEventListener('beforeunload', (event) => {
  if (uploadQueue.busy) event.preventDefault();
});
