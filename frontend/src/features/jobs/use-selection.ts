import { useState, type KeyboardEvent } from 'react';

import {
  extend,
  isEmpty,
  NOTHING,
  selectAllOfFilter,
  settle,
  toggle,
  toggleLoaded,
  type Selection,
} from './selection';

export interface SelectionControl {
  selection: Selection;
  /** Turns a row over; with `range`, all from the row that was changed last. */
  change: (id: string, range: boolean) => void;
  changeLoaded: () => void;
  selectMatching: () => void;
  clear: () => void;
  settle: (done: readonly string[], ended: boolean) => void;
  /** Keys for the whole list: Ctrl+A, Escape, and the arrows between the boxes. */
  onKeyDown: (event: KeyboardEvent<HTMLElement>) => void;
}

const BOXES = 'tbody input[type="checkbox"]';

/** What is selected in the list; `order` are the ids of its rows, from top to bottom. */
export function useSelection(order: readonly string[]): SelectionControl {
  const [selection, setSelection] = useState<Selection>(NOTHING);
  const clear = () => {
    setSelection(NOTHING);
  };
  return {
    selection,
    change: (id, range) => {
      setSelection((known) => (range ? extend : toggle)(known, id, order));
    },
    changeLoaded: () => {
      setSelection((known) => toggleLoaded(known, order));
    },
    selectMatching: () => {
      setSelection(selectAllOfFilter(new Date().toISOString()));
    },
    clear,
    settle: (done, ended) => {
      setSelection((known) => settle(known, done, ended));
    },
    onKeyDown: (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'a') {
        event.preventDefault();
        setSelection({ ids: new Set(order), anchor: null, allBefore: null });
      } else if (event.key === 'Escape' && !isEmpty(selection)) {
        clear();
      } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
        step(event, event.key === 'ArrowDown' ? 1 : -1);
      }
    },
  };
}

function step(event: KeyboardEvent<HTMLElement>, by: number): void {
  const boxes = [...event.currentTarget.querySelectorAll<HTMLInputElement>(BOXES)];
  const at = boxes.indexOf(event.target as HTMLInputElement);
  const next = at < 0 ? undefined : boxes[at + by];
  if (!next) return;
  event.preventDefault();
  next.focus();
}
