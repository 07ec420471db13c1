/** The drawing of a recording: how loud it is, where text is missing, where it is doubtful. */

import type { Peaks } from '@/api/types';

import type { ReviewItem } from './review';

/** The loudest value in each of `count` equal stretches, 0..1, raised so that quiet speech is seen. */
export function columnsOf(peaks: Peaks, count: number): Float32Array {
  const columns = new Float32Array(count);
  const channels = Math.max(1, peaks.channels);
  const step = channels * 2;
  const pixels = Math.floor(peaks.data.length / step);
  const full = 2 ** (peaks.bits - 1);
  let loudest = 0;
  for (let column = 0; column < count; column += 1) {
    const from = Math.floor((column * pixels) / count);
    const to = Math.max(from + 1, Math.floor(((column + 1) * pixels) / count));
    let high = 0;
    for (let at = from * step; at < Math.min(to, pixels) * step; at += 1) {
      high = Math.max(high, Math.abs(peaks.data[at] ?? 0));
    }
    columns[column] = high / full;
    loudest = Math.max(loudest, high / full);
  }
  if (loudest === 0) return columns;
  return columns.map((value) => Math.sqrt(value / loudest));
}

export interface Look {
  wave: string;
  gap: string;
  gapEdge: string;
  flag: string;
}

const BAR = 2;
const SPACE = 1;

/** Fits the canvas to its box and clears it. Null where there is no box or no 2D context. */
function prepare(canvas: HTMLCanvasElement): {
  pen: CanvasRenderingContext2D;
  width: number;
  height: number;
} | null {
  const { clientWidth: width, clientHeight: height } = canvas;
  const ratio = devicePixelRatio || 1;
  if (width === 0 || height === 0) return null;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext('2d');
  pen?.scale(ratio, ratio);
  return pen ? { pen, width, height } : null;
}

/** Bars in one colour; a thin line where the loudness is not known. */
export function drawWave(canvas: HTMLCanvasElement, peaks: Peaks | null, colour: string): void {
  const sheet = prepare(canvas);
  if (!sheet) return;
  const { pen, width, height } = sheet;
  pen.fillStyle = colour;
  if (!peaks || peaks.data.length === 0) {
    pen.beginPath();
    pen.roundRect(0, height / 2 - 3, width, 6, 3);
    pen.fill();
    return;
  }
  const columns = columnsOf(peaks, Math.max(1, Math.floor(width / (BAR + SPACE))));
  columns.forEach((value, index) => {
    const tall = Math.max(2, value * (height - 4));
    pen.fillRect(index * (BAR + SPACE), (height - tall) / 2, BAR, tall);
  });
}

/** Gaps as hatched stretches of full height, doubtful passages as ticks at the upper edge. */
export function drawMarks(
  canvas: HTMLCanvasElement,
  items: readonly ReviewItem[],
  durationMs: number,
  look: Look,
): void {
  const sheet = prepare(canvas);
  if (!sheet || durationMs <= 0) return;
  const { pen, width, height } = sheet;
  const x = (ms: number) => Math.min(1, Math.max(0, ms / durationMs)) * width;
  for (const item of items) {
    const from = x(item.start_ms);
    if (item.kind === 'gap') {
      const wide = Math.max(4, x(item.end_ms) - from);
      drawGap(pen, Math.min(from, width - wide), wide, height, look);
    } else {
      pen.fillStyle = look.flag;
      pen.fillRect(Math.min(from, width - 3), 0, 3, 8);
    }
  }
}

function drawGap(
  pen: CanvasRenderingContext2D,
  left: number,
  width: number,
  height: number,
  look: Look,
): void {
  pen.save();
  pen.beginPath();
  pen.rect(left, 0, width, height);
  pen.clip();
  pen.fillStyle = look.gap;
  pen.fillRect(left, 0, width, height);
  pen.strokeStyle = look.gapEdge;
  pen.lineWidth = 1;
  pen.globalAlpha = 0.55;
  // Hatched, so that it is told from the rest without colours.
  for (let at = left - height; at < left + width; at += 6) {
    pen.beginPath();
    pen.moveTo(at, height);
    pen.lineTo(at + height, 0);
    pen.stroke();
  }
  pen.globalAlpha = 1;
  pen.strokeRect(left + 0.5, 0.5, width - 1, height - 1);
  pen.restore();
}
