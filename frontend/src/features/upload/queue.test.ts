import { beforeEach, describe, expect, it, vi } from 'vitest';

import { DEFAULT_CHOICES, toJobChoices } from '@/api/choices';
import { ApiError, NetworkError } from '@/lib/errors';
import { FakeServer } from '@/testing/fake-upload-server';

import { UploadQueue } from './queue';
import { someOptions } from '@/testing/builders';

const aFile = (name: string, size = 20) =>
  new File([new Uint8Array(size)], name, { lastModified: 1 });

let server: FakeServer;
let queue: UploadQueue;

beforeEach(() => {
  server = new FakeServer();
  queue = new UploadQueue(() => ({ api: server.api, put: server.put, retryBaseMs: 1 }));
});

const states = () => Object.fromEntries(queue.items.get().map((item) => [item.name, item.state]));
const idOf = (name: string) => queue.items.get().find((item) => item.name === name)!.id;
const settled = () =>
  vi.waitFor(() => {
    expect(queue.busy).toBe(false);
  });

describe('UploadQueue', () => {
  it('uploads files and makes a job of each', async () => {
    queue.add([aFile('a'), aFile('b'), aFile('c', 3)], {}, null);
    expect(states()).toEqual({ a: 'uploading', b: 'uploading', c: 'queued' });
    await settled();
    expect(states()).toEqual({ a: 'done', b: 'done', c: 'done' });
    expect(server.jobs).toHaveLength(3);
    expect(queue.items.get().every((item) => item.jobId)).toBe(true);
  });

  it('refuses empty and oversized files at once, and names duplicates', async () => {
    expect(queue.add([aFile('a'), aFile('empty', 0), aFile('big', 101)], {}, 100)).toEqual([]);
    expect(queue.add([aFile('a')], {}, 100)).toEqual(['a']);
    expect(queue.items.get().filter((item) => item.refused)).toHaveLength(2);
    await settled();
    expect(states()).toEqual({ a: 'done', empty: 'failed', big: 'failed' });
  });

  it('pauses, resumes and removes', async () => {
    let open: () => void = () => undefined;
    server.gate = new Promise((resolve) => {
      open = resolve;
    });
    queue.add([aFile('a'), aFile('b')], {}, null);
    await vi.waitFor(() => {
      expect(server.inFlight).toBeGreaterThan(0);
    });
    queue.pause(idOf('a'));
    queue.remove(idOf('b'));
    expect(states()).toEqual({ a: 'paused' });
    await vi.waitFor(() => {
      expect(server.aborted).toHaveLength(1);
    });
    open();
    queue.resumeAll();
    await settled();
    expect(states()).toEqual({ a: 'done' });
  });

  it('retries a job that could not be made without sending the file again', async () => {
    let failures = 1;
    server.jobFault = () => (failures-- > 0 ? new NetworkError(null) : undefined);
    queue.add([aFile('a')], {}, null);
    await settled();
    expect(states()).toEqual({ a: 'failed' });
    const sent = server.puts.length;
    queue.resume(idOf('a'));
    await settled();
    expect(states()).toEqual({ a: 'done' });
    expect(server.puts).toHaveLength(sent);
    expect(server.jobs).toHaveLength(1);
  });

  it('waits where the server counts, and goes on by itself', async () => {
    let refusals = 1;
    const code = { code: 'rate_limited', message: 'Too many.', retry_after: 0.01 };
    server.jobFault = () => (refusals-- > 0 ? new ApiError(429, code) : undefined);
    queue.add([aFile('a')], {}, null);
    await settled();
    expect(states()).toEqual({ a: 'done' });
    expect(server.jobs).toHaveLength(1);
  });

  it('forgets everything at sign-out', () => {
    queue.add([aFile('a')], {}, null);
    queue.reset();
    expect(queue.items.get()).toEqual([]);
    expect(queue.busy).toBe(false);
  });
});

describe('toJobChoices', () => {
  const base = { language: 'en', mode: 'mono', vad: 'auto' } as const;
  it.each([
    ['auto', {}],
    ['pocketsphinx', { engine: 'pocketsphinx' }],
    ['whisper_cpp:small', { engine: 'whisper_cpp', model: 'small' }],
    ['whisper_cpp:withdrawn', {}],
    ['gone', {}],
  ])('%s', (engine, expected) => {
    expect(toJobChoices({ ...DEFAULT_CHOICES, ...base, engine }, someOptions())).toEqual({
      ...base,
      ...expected,
    });
  });
});
