import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { throttled } from './throttle';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('throttled', () => {
  it('runs at once, once more after a burst, and then rests', () => {
    const work = vi.fn();
    const call = throttled(work, 100);
    const on = {};
    for (let i = 0; i < 500; i += 1) call(on);
    expect(work).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(100);
    expect(work).toHaveBeenCalledTimes(2);
    vi.advanceTimersByTime(1000);
    expect(work).toHaveBeenCalledTimes(2);
    call(on);
    expect(work).toHaveBeenCalledTimes(3);
  });

  it('keeps different things apart', () => {
    const work = vi.fn();
    const call = throttled(work, 100);
    const [one, other] = [{ name: 'one' }, { name: 'other' }];
    call(one);
    call(other);
    expect(work.mock.calls.map(([on]) => on as unknown)).toEqual([one, other]);
  });
});
