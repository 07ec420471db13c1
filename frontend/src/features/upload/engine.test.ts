import { beforeEach, describe, expect, it, vi } from 'vitest';

import { ApiError } from '@/lib/errors';
import { FakeServer } from '@/testing/fake-upload-server';

import { FileUpload } from './engine';
import { fingerprints } from './fingerprints';

const aFile = (size: number, name = 'talk.wav') =>
  new File([new Uint8Array(size)], name, { lastModified: 1_700_000_000_000 });

let server: FakeServer;

beforeEach(() => {
  server = new FakeServer();
});

function send(upload: FileUpload, signal = new AbortController().signal) {
  const progress: number[] = [];
  const done = upload.send({
    signal,
    onProgress: (sent) => progress.push(sent),
    onFinishing: () => undefined,
  });
  return { done, progress };
}

const deps = () => ({ api: server.api, put: server.put, retryBaseMs: 1 });

describe('one file', () => {
  it('goes in one PUT where it is small', async () => {
    const { done, progress } = send(new FileUpload(aFile(5), deps()));
    expect((await done).id).toBe('file-up-1');
    expect(server.puts).toEqual([0]);
    expect(progress.at(-1)).toBe(5);
  });

  it('goes in parts, four at a time, with growing progress', async () => {
    const { done, progress } = send(new FileUpload(aFile(41), deps()));
    await done;
    expect(server.puts.slice().sort((a, b) => a - b)).toEqual(
      [...Array(11).keys()].map((n) => n + 1),
    );
    expect(server.maxInFlight).toBe(4);
    expect(progress.at(-1)).toBe(41);
    expect(server.uploads.get('up-1')?.complete).toBe(true);
    expect(fingerprints.all()).toEqual([]);
  });

  it('tries again after 500 and after a broken line', async () => {
    server.fault = (part, attempt) => {
      if (part === 2 && attempt <= 2) return 500;
      return part === 3 && attempt === 1 ? 'drop' : undefined;
    };
    await send(new FileUpload(aFile(20), deps())).done;
    expect(server.puts.filter((part) => part === 2)).toHaveLength(3);
    expect(server.puts.filter((part) => part === 3)).toHaveLength(2);
  });

  it('asks for new addresses where the old ones have expired', async () => {
    let expired = false;
    server.fault = (part) => {
      if (part !== 1 || expired) return undefined;
      expired = true;
      server.expireUrls();
      return 403;
    };
    await send(new FileUpload(aFile(41), deps())).done;
    expect(server.uploads.get('up-1')?.complete).toBe(true);
  });

  it('renews the address of a small file as well', async () => {
    server.fault = (_, attempt) => (attempt === 1 ? 403 : undefined);
    const media = await send(new FileUpload(aFile(3), deps())).done;
    expect(media.id).toBe('file-up-2');
    expect(server.aborted).toEqual(['up-1']);
  });

  it('gives up where the store keeps refusing, and stops the other parts', async () => {
    server.fault = (part) => (part === 2 ? 403 : undefined);
    await expect(send(new FileUpload(aFile(400), deps())).done).rejects.toThrow(ApiError);
    expect(server.puts.length).toBeLessThan(60);
  });

  it('does not ask again what the server has judged', async () => {
    const presign = vi.fn(() =>
      Promise.reject(new ApiError(413, { code: 'file_too_large', message: 'Too large.' })),
    );
    const upload = new FileUpload(aFile(3), { ...deps(), api: { ...server.api, presign } });
    await expect(send(upload).done).rejects.toThrow('Too large.');
    expect(presign).toHaveBeenCalledTimes(1);
  });
});

describe('pause and resume', () => {
  it('sends only what is missing', async () => {
    const upload = new FileUpload(aFile(41), deps());
    const pause = new AbortController();
    server.fault = (part) => {
      if (part === 5) pause.abort(new DOMException('Paused', 'AbortError'));
      return undefined;
    };
    await expect(send(upload, pause.signal).done).rejects.toThrow('Paused');
    const had = [...(server.uploads.get('up-1')?.parts.keys() ?? [])];
    expect(had.length).toBeGreaterThan(0);
    server.puts.length = 0;
    server.fault = () => undefined;
    await send(upload).done;
    expect(server.puts.some((part) => had.includes(part))).toBe(false);
    expect(server.uploads.size).toBe(1);
  });

  it('goes on after a reload when the same file is chosen again', async () => {
    const pause = new AbortController();
    server.fault = (part) => {
      if (part === 6) pause.abort(new DOMException('Reloaded', 'AbortError'));
      return undefined;
    };
    await expect(send(new FileUpload(aFile(41), deps()), pause.signal).done).rejects.toThrow();
    const had = server.uploads.get('up-1')?.parts.size ?? 0;
    server.puts.length = 0;
    server.fault = () => undefined;
    await send(new FileUpload(aFile(41), deps())).done;
    expect(server.puts).toHaveLength(11 - had);
    expect(server.uploads.size).toBe(1);
  });

  it('begins anew where the server has dropped the upload', async () => {
    const pause = new AbortController();
    server.fault = (part) => {
      if (part === 3) pause.abort(new DOMException('Reloaded', 'AbortError'));
      return undefined;
    };
    await expect(send(new FileUpload(aFile(41), deps()), pause.signal).done).rejects.toThrow();
    server.uploads.clear();
    server.fault = () => undefined;
    expect((await send(new FileUpload(aFile(41), deps())).done).id).toBe('file-up-2');
  });

  it('does not mistake another file for it', async () => {
    const pause = new AbortController();
    server.fault = () => {
      pause.abort(new DOMException('Reloaded', 'AbortError'));
      return undefined;
    };
    await expect(send(new FileUpload(aFile(41), deps()), pause.signal).done).rejects.toThrow();
    server.fault = () => undefined;
    const media = await send(new FileUpload(aFile(41, 'other.wav'), deps())).done;
    expect(media.id).toBe('file-up-2');
  });

  it('tells the server when it is given up', async () => {
    const upload = new FileUpload(aFile(41), deps());
    const stop = new AbortController();
    server.gate = new Promise(() => undefined);
    const { done } = send(upload, stop.signal);
    await vi.waitFor(() => {
      expect(server.inFlight).toBe(4);
    });
    stop.abort(new DOMException('Removed', 'AbortError'));
    await expect(done).rejects.toThrow();
    await upload.discard();
    expect(server.aborted).toEqual(['up-1']);
    expect(fingerprints.all()).toEqual([]);
  });
});
