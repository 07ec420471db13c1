/** What jsdom lacks, and a clean slate for each test. */

import '@testing-library/jest-dom/vitest';

import { cleanup, configure } from '@testing-library/react';
import { afterAll, afterEach, beforeAll, beforeEach, vi } from 'vitest';

import { server } from './server';

// A busy machine renders a page in seconds.
configure({ asyncUtilTimeout: 20_000 });

class NoopObserver {
  observe(): void {
    // Nothing is laid out in jsdom.
  }
  unobserve(): void {
    // As above.
  }
  disconnect(): void {
    // As above.
  }
}

vi.stubGlobal('ResizeObserver', NoopObserver);
vi.stubGlobal('IntersectionObserver', NoopObserver);
// One tab only: messages to other tabs would cross from test to test.
vi.stubGlobal(
  'BroadcastChannel',
  class extends EventTarget {
    postMessage(): void {
      // To nobody.
    }
    close(): void {
      // Nothing is open.
    }
  },
);
vi.stubGlobal('scrollTo', () => undefined);
Element.prototype.scrollIntoView = () => undefined;
vi.stubGlobal('matchMedia', (query: string) => ({
  matches: false,
  media: query,
  addEventListener: () => undefined,
  removeEventListener: () => undefined,
  addListener: () => undefined,
  removeListener: () => undefined,
}));
Object.defineProperty(document, 'fonts', {
  value: { addEventListener: () => undefined, removeEventListener: () => undefined },
});

/** React warnings and stray errors fail the test that caused them. */
const complaints: string[] = [];
beforeEach(() => {
  for (const level of ['error', 'warn'] as const) {
    vi.spyOn(console, level).mockImplementation((...args: unknown[]) => {
      complaints.push(args.map(String).join(' '));
    });
  }
});

beforeAll(() => {
  server.listen({ onUnhandledRequest: 'error' });
});

afterEach(() => {
  cleanup();
  server.resetHandlers();
  localStorage.clear();
  const seen = complaints.splice(0);
  if (seen.length > 0) throw new Error(`The console was written to:\n${seen.join('\n')}`);
});

afterAll(() => {
  server.close();
});
