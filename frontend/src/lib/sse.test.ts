import { describe, expect, it, vi } from 'vitest';

import { readEvents, SseParser, type SseMessage } from './sse';

describe('SseParser', () => {
  it('reads fields, joins data lines and ignores comments', () => {
    const parser = new SseParser();
    const messages = parser.push(': beat\n\nevent: status\nid: 7\ndata: {"a":\ndata: 1}\n\n');
    expect(messages).toEqual([{ event: 'status', id: '7', data: '{"a":\n1}' }]);
  });

  it.each(['\n', '\r\n', '\r'])('takes %j as the end of a line', (eol) => {
    const parser = new SseParser();
    const text = ['event: x', 'data: one', '', 'data: two', '', ''].join(eol) + ':';
    expect(parser.push(text).map((message) => [message.event, message.data])).toEqual([
      ['x', 'one'],
      ['message', 'two'],
    ]);
  });

  it('gives the same at any cut of the stream', () => {
    const text = 'id: 1\r\nevent: a\r\ndata: häh\r\n\r\ndata:b\r\n\r\n';
    const whole = new SseParser().push(text);
    for (let cut = 1; cut < text.length; cut++) {
      const parser = new SseParser();
      expect([...parser.push(text.slice(0, cut)), ...parser.push(text.slice(cut))]).toEqual(whole);
    }
  });

  it('carries no id over to the next message, and reads retry', () => {
    const parser = new SseParser();
    const [first, second] = parser.push('id: 1\ndata: a\n\nretry: 250\ndata: b\n\n');
    expect(first?.id).toBe('1');
    expect(second?.id).toBeNull();
    expect(parser.retryMs).toBe(250);
  });

  it('drops a message without data', () => {
    expect(new SseParser().push('event: end\n\n')).toEqual([]);
  });
});

function streamOf(...chunks: string[]): Response {
  const encoder = new TextEncoder();
  return new Response(
    new ReadableStream({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(encoder.encode(chunk));
        controller.close();
      },
    }),
  );
}

describe('readEvents', () => {
  it('reconnects with the last id and ends on 204', async () => {
    const replies = [
      streamOf('retry: 1\nid: 5\ndata: a\n\n', 'data: no id\n\n'),
      new Response(null, { status: 503 }),
      streamOf('retry: 1\nid: 6\ndata: b\n\n'),
      new Response(null, { status: 204 }),
    ];
    const sent: (string | undefined)[] = [];
    const seen: SseMessage[] = [];
    const down = vi.fn();
    await readEvents({
      url: '/events',
      fetch: (_, init) => {
        sent.push((init.headers as Record<string, string>)['Last-Event-ID']);
        return Promise.resolve(replies.shift() as Response);
      },
      onMessage: (message) => seen.push(message),
      onDown: down,
      signal: new AbortController().signal,
    });
    expect(sent).toEqual([undefined, '5', '5', '6']);
    expect(seen.map((message) => message.data)).toEqual(['a', 'no id', 'b']);
    expect(down).toHaveBeenCalledTimes(3);
  });

  it('gives up where the server refuses', async () => {
    const fetch = vi.fn(() => Promise.resolve(new Response(null, { status: 404 })));
    await readEvents({
      url: '/events',
      fetch,
      onMessage: () => undefined,
      signal: new AbortController().signal,
    });
    expect(fetch).toHaveBeenCalledTimes(1);
  });

  it('takes a silent line as broken', async () => {
    const abort = new AbortController();
    const silent = new Response(new ReadableStream({ start: () => undefined }));
    const fetch = vi
      .fn()
      .mockResolvedValueOnce(silent)
      .mockResolvedValueOnce(new Response(null, { status: 204 }));
    await readEvents({
      url: '/events',
      fetch,
      onMessage: () => undefined,
      signal: abort.signal,
      silenceMs: 20,
    });
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it('stops when told to', async () => {
    const abort = new AbortController();
    const done = readEvents({
      url: '/events',
      fetch: (_, init) =>
        new Promise((_resolve, reject) => {
          init.signal?.addEventListener('abort', () => {
            reject(new DOMException('stop', 'AbortError'));
          });
        }),
      onMessage: () => undefined,
      signal: abort.signal,
    });
    abort.abort();
    await expect(done).resolves.toBeUndefined();
  });
});
