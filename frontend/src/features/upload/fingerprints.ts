/** Unfinished multipart uploads, remembered over a reload by what identifies the file. */

import { STORAGE } from '@/config/constants';
import { readJson, writeJson } from '@/lib/storage';

export interface Unfinished {
  upload_id: string;
  file_id: string;
  name: string;
  size: number;
  last_modified: number;
  part_size: number;
  part_count: number;
  started_at: string;
}

interface Identity {
  name: string;
  size: number;
  lastModified: number;
}

type Book = Record<string, Unfinished>;

/** The server keeps an unfinished upload for a day at least. */
const KEEP_MS = 7 * 86_400_000;

function keyOf(file: Identity): string {
  return `${file.name}|${String(file.size)}|${String(file.lastModified)}`;
}

function read(): Book {
  const book = readJson<Book>(STORAGE.uploads, {});
  const now = Date.now();
  return Object.fromEntries(
    Object.entries(book).filter(([, entry]) => now - Date.parse(entry.started_at) < KEEP_MS),
  );
}

export const fingerprints = {
  all: (): Unfinished[] => Object.values(read()),

  find: (file: Identity): Unfinished | undefined => read()[keyOf(file)],

  remember(file: Identity, entry: Omit<Unfinished, 'name' | 'size' | 'last_modified'>): void {
    const { name, size, lastModified } = file;
    writeJson(STORAGE.uploads, {
      ...read(),
      [keyOf(file)]: { ...entry, name, size, last_modified: lastModified },
    });
  },

  forget(uploadId: string): void {
    writeJson(
      STORAGE.uploads,
      Object.fromEntries(Object.entries(read()).filter(([, e]) => e.upload_id !== uploadId)),
    );
  },

  clear(): void {
    writeJson(STORAGE.uploads, {});
  },
};
