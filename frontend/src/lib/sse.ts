/** Server-sent events over fetch, because EventSource cannot send a bearer token. */

import { backoffMs, isAbort, sleep } from './backoff';

export interface SseMessage {
  event: string;
  data: string;
  id: string | null;
}

/** Incremental parser of the event-stream format (WHATWG HTML, section 9.2.6). */
export class SseParser {
  private buffer = '';
  private event = '';
  private data: string[] = [];
  private id: string | null = null;
  /** Reconnection time the server asked for, in ms. */
  retryMs: number | null = null;

  push(chunk: string): SseMessage[] {
    this.buffer += chunk;
    const messages: SseMessage[] = [];
    for (;;) {
      const match = /\r\n|\n|\r/.exec(this.buffer);
      if (!match) break;
      // A lone CR at the end may be the first half of CRLF: wait for the rest.
      if (match[0] === '\r' && match.index === this.buffer.length - 1) break;
      const line = this.buffer.slice(0, match.index);
      this.buffer = this.buffer.slice(match.index + match[0].length);
      const message = this.line(line);
      if (message) messages.push(message);
    }
    return messages;
  }

  private line(line: string): SseMessage | null {
    if (line === '') return this.dispatch();
    if (line.startsWith(':')) return null;
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.event = value;
    else if (field === 'data') this.data.push(value);
    else if (field === 'id' && !value.includes('\0')) this.id = value;
    else if (field === 'retry' && /^\d+$/.test(value)) this.retryMs = Number(value);
    return null;
  }

  private dispatch(): SseMessage | null {
    const message = this.data.length
      ? { event: this.event || 'message', data: this.data.join('\n'), id: this.id }
      : null;
    this.event = '';
    this.data = [];
    this.id = null;
    return message;
  }
}

export interface SseOptions {
  url: string;
  /** Sends the request with credentials; refreshes them on 401 by itself. */
  fetch: (url: string, init: RequestInit) => Promise<Response>;
  onMessage: (message: SseMessage) => void;
  /** Told on each (re)connection; `resumed` says that Last-Event-ID was sent. */
  onOpen?: (resumed: boolean) => void;
  onDown?: () => void;
  signal: AbortSignal;
  /** A silence longer than this (heartbeats come every 15 s) counts as a dead line. */
  silenceMs?: number;
}

/** Reads a stream until it ends (204, or 4xx other than 408 and 429) or the signal aborts. */
export async function readEvents(options: SseOptions): Promise<void> {
  const { signal } = options;
  let lastId: string | null = null;
  let attempt = 0;
  while (!signal.aborted) {
    let retryMs: number | null = null;
    try {
      const headers: Record<string, string> = { Accept: 'text/event-stream' };
      if (lastId !== null) headers['Last-Event-ID'] = lastId;
      const response = await options.fetch(options.url, { headers, signal });
      if (response.status === 204) return;
      if (!response.ok || !response.body) {
        void response.body?.cancel();
        const transient = response.status >= 500 || [408, 429].includes(response.status);
        if (!transient) return;
        throw new Error(`stream answered ${String(response.status)}`);
      }
      options.onOpen?.(lastId !== null);
      const parser = new SseParser();
      for await (const chunk of chunks(response.body, options.silenceMs ?? 45_000)) {
        attempt = 0;
        for (const message of parser.push(chunk)) {
          if (message.id !== null) lastId = message.id;
          options.onMessage(message);
        }
      }
      retryMs = parser.retryMs;
    } catch (error) {
      if (signal.aborted || isAbort(error)) return;
    }
    options.onDown?.();
    try {
      await sleep(retryMs ?? backoffMs(attempt++), signal);
    } catch {
      return;
    }
  }
}

async function* chunks(body: ReadableStream<Uint8Array>, silenceMs: number) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  try {
    for (;;) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const silence = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          reject(new Error('stream is silent'));
        }, silenceMs);
      });
      const read = await Promise.race([reader.read(), silence]).finally(() => {
        clearTimeout(timer);
      });
      if (read.done) return;
      yield decoder.decode(read.value, { stream: true });
    }
  } finally {
    void reader.cancel().catch(() => undefined);
  }
}
