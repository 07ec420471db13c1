/** Runs `work` at once, then at most every `everyMs`; calls in between are answered by one run at the end of the pause. */
export function throttled<T extends object>(
  work: (on: T) => void,
  everyMs: number,
): (on: T) => void {
  const waiting = new WeakMap<T, { again: boolean }>();
  const run = (on: T) => {
    const state = { again: false };
    waiting.set(on, state);
    work(on);
    setTimeout(() => {
      waiting.delete(on);
      if (state.again) run(on);
    }, everyMs);
  };
  return (on) => {
    const state = waiting.get(on);
    if (state) state.again = true;
    else run(on);
  };
}
