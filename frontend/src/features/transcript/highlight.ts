/**
 * Marks the current row and word without React: a data attribute on the row, and the CSS Custom
 * Highlight API for the word. Where that is missing, the row alone is marked.
 */

import type { Segment } from '@/api/types';

import { segmentAt, wordAt, type WordSpan } from './model';

const NAME = 'current-word';

export class Highlighter {
  private segments: readonly Segment[] = [];
  private readonly rows = new Map<number, HTMLElement>();
  private current = -1;
  private word: WordSpan | null = null;

  private onRow: (index: number) => void = () => undefined;

  /** Told when another row becomes current. */
  watchRow(listener: (index: number) => void): void {
    this.onRow = listener;
  }

  get index(): number {
    return this.current;
  }

  setSegments(segments: readonly Segment[], ms: number): void {
    this.segments = segments;
    this.word = null;
    this.update(ms);
  }

  setRow(index: number, row: HTMLElement | null): void {
    if (!row) {
      this.rows.delete(index);
      return;
    }
    this.rows.set(index, row);
    row.toggleAttribute('data-current', index === this.current);
    // A row that scrolled back into view gets its word again.
    if (index === this.current && this.word) this.paint(this.word);
  }

  update(ms: number): void {
    const index = segmentAt(this.segments, ms);
    if (index !== this.current) {
      this.rows.get(this.current)?.removeAttribute('data-current');
      this.current = index;
      this.rows.get(index)?.setAttribute('data-current', '');
      this.onRow(index);
    }
    const segment = this.segments[index];
    const word = segment ? wordAt(segment, ms) : null;
    if (word === this.word) return;
    this.word = word;
    this.paint(word);
  }

  clear(): void {
    this.word = null;
    this.paint(null);
  }

  private paint(word: WordSpan | null): void {
    if (typeof Highlight === 'undefined') return;
    const text = this.rows.get(this.current)?.querySelector('[data-text]')?.firstChild;
    if (!word || !text || (text.textContent?.length ?? 0) < word.to) {
      CSS.highlights.delete(NAME);
      return;
    }
    const range = new Range();
    range.setStart(text, word.from);
    range.setEnd(text, word.to);
    CSS.highlights.set(NAME, new Highlight(range));
  }
}

/** The character under the pointer, within one text node. */
export function offsetFromPoint(x: number, y: number): { node: Node; offset: number } | null {
  // Older engines know only caretRangeFromPoint, newer types only caretPositionFromPoint.
  const page = document as {
    caretPositionFromPoint?: (x: number, y: number) => CaretPosition | null;
    caretRangeFromPoint?: (x: number, y: number) => Range | null;
  };
  const position = page.caretPositionFromPoint?.(x, y);
  if (position) return { node: position.offsetNode, offset: position.offset };
  const range = page.caretRangeFromPoint?.(x, y);
  return range ? { node: range.startContainer, offset: range.startOffset } : null;
}
