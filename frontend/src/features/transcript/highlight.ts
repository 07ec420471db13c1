/**
 * Marks the current row and word without React: a data attribute on the row, and the CSS Custom
 * Highlight API for the word. Where that is missing, the row alone is marked.
 */

import type { Segment } from '@/api/types';

import { segmentAt, uncertainSpans, wordAt, type WordSpan } from './model';

const NAME = 'current-word';
const UNCERTAIN = 'uncertain-words';

export class Highlighter {
  private segments: readonly Segment[] = [];
  private readonly rows = new Map<number, HTMLElement>();
  private current = -1;
  private word: WordSpan | null = null;

  private readonly uncertain = typeof Highlight === 'undefined' ? null : new Highlight();
  private readonly marked = new Map<number, Range[]>();
  private marking = false;

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
    for (const index of this.rows.keys()) this.mark(index);
  }

  /** Whether words that the engine was not sure of are underlined. */
  setMarking(on: boolean): void {
    this.marking = on;
    if (this.uncertain && on) CSS.highlights.set(UNCERTAIN, this.uncertain);
    for (const index of this.rows.keys()) this.mark(index);
  }

  setRow(index: number, row: HTMLElement | null): void {
    if (!row) {
      this.rows.delete(index);
      this.mark(index);
      return;
    }
    this.rows.set(index, row);
    this.mark(index);
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
    if (this.uncertain) CSS.highlights.delete(UNCERTAIN);
    this.uncertain?.clear();
    this.marked.clear();
  }

  /** Underlines the doubtful words of one row; those of rows that scrolled away are let go. */
  private mark(index: number): void {
    if (!this.uncertain) return;
    for (const range of this.marked.get(index) ?? []) this.uncertain.delete(range);
    this.marked.delete(index);
    const text = this.rows.get(index)?.querySelector('[data-text]')?.firstChild;
    const segment = this.segments[index];
    if (!this.marking || !text || !segment || text.textContent !== segment.text) return;
    const ranges = uncertainSpans(segment).map(({ from, to }) => {
      const range = new Range();
      range.setStart(text, from);
      range.setEnd(text, to);
      return range;
    });
    for (const range of ranges) this.uncertain.add(range);
    this.marked.set(index, ranges);
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
