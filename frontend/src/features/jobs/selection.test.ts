import { describe, expect, it } from 'vitest';

import {
  extend,
  isEmpty,
  isSelected,
  NOTHING,
  selectAllOfFilter,
  settle,
  toggle,
  toggleLoaded,
} from './selection';

const ORDER = ['a', 'b', 'c', 'd', 'e'];
const picked = (selection: { ids: ReadonlySet<string> }) => [...selection.ids].sort().join('');

describe('selection', () => {
  it('turns rows over one by one', () => {
    let state = toggle(NOTHING, 'b', ORDER);
    expect([picked(state), state.anchor]).toEqual(['b', 'b']);
    state = toggle(state, 'd', ORDER);
    expect(picked(state)).toBe('bd');
    state = toggle(toggle(state, 'b', ORDER), 'd', ORDER);
    expect(isEmpty(state)).toBe(true);
  });

  it('extends from the last row, down and up, and takes a range away again', () => {
    const down = extend(toggle(NOTHING, 'b', ORDER), 'd', ORDER);
    expect(picked(down)).toBe('bcd');
    const up = extend(down, 'a', ORDER);
    expect(picked(up)).toBe('abcd');
    const less = extend(toggle(up, 'c', ORDER), 'a', ORDER);
    expect(picked(less)).toBe('d');
  });

  it('has no range without an anchor in sight', () => {
    expect(picked(extend(NOTHING, 'c', ORDER))).toBe('c');
    const lost = extend(toggle(NOTHING, 'gone', ORDER), 'c', ORDER);
    expect(picked(lost)).toBe('cgone');
  });

  it('takes all rows at hand, and none the second time', () => {
    const all = toggleLoaded(toggle(NOTHING, 'c', ORDER), ORDER);
    expect(picked(all)).toBe('abcde');
    expect(isEmpty(toggleLoaded(all, ORDER))).toBe(true);
    expect(isEmpty(toggleLoaded(NOTHING, []))).toBe(true);
  });

  it('means rows that are not loaded too, until one is taken out', () => {
    const all = selectAllOfFilter('2026-11-28T00:00:00Z');
    expect(isSelected(all, 'not loaded')).toBe(true);
    expect(isEmpty(all)).toBe(false);
    const less = toggle(all, 'b', ORDER);
    expect([picked(less), less.allBefore]).toEqual(['acde', null]);
    expect(isEmpty(toggleLoaded(all, ORDER))).toBe(true);
  });

  it('keeps what could not be done or was not reached', () => {
    const state = extend(toggle(NOTHING, 'a', ORDER), 'c', ORDER);
    expect(picked(settle(state, ['a', 'c', 'x'], true))).toBe('b');
    expect(isEmpty(settle(state, ['a', 'b', 'c'], true))).toBe(true);
    const all = selectAllOfFilter('now');
    expect(settle(all, ['a'], false)).toBe(all);
    expect(isEmpty(settle(all, ['a'], true))).toBe(true);
  });
});
