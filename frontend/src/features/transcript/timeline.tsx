import { useMantineColorScheme } from '@mantine/core';
import { useEffect, useLayoutEffect, useRef, useState, type PointerEvent } from 'react';

import type { Peaks } from '@/api/types';
import { useStore } from '@/hooks/use-store';
import { clock } from '@/lib/format';
import { t } from '@/lib/i18n';

import { itemTitle } from './item-text';
import type { Player } from './player';
import { itemAt, type ReviewItem } from './review';
import classes from './timeline.module.css';
import { drawMarks, drawWave } from './wave';

interface Props {
  player: Player;
  peaks: Peaks | null;
  items: readonly ReviewItem[];
}

/** The whole recording on one strip. A range input underneath serves the keyboard and screen readers. */
export function Timeline({ player, peaks, items }: Props) {
  const { durationMs, ready } = useStore(player.state);
  const strip = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const [hover, setHover] = useState<Hover | null>(null);
  const usable = ready && durationMs > 0;
  useDrawing(strip, peaks, items, durationMs);
  useEffect(
    () =>
      player.onTick((ms) => {
        const range = input.current;
        if (!range) return;
        range.value = String(Math.round(ms));
        const played = durationMs ? (Math.min(ms, durationMs) / durationMs) * 100 : 0;
        strip.current?.style.setProperty('--played', `${played.toFixed(2)}%`);
        const text = spokenPosition(items, ms, durationMs);
        if (range.getAttribute('aria-valuetext') !== text)
          range.setAttribute('aria-valuetext', text);
      }),
    [player, durationMs, items],
  );

  const place = (event: PointerEvent<HTMLDivElement>): Hover => {
    const box = event.currentTarget.getBoundingClientRect();
    const x = Math.min(box.width, Math.max(0, event.clientX - box.left));
    return {
      share: box.width ? x / box.width : 0,
      ms: box.width ? (x / box.width) * durationMs : 0,
      width: box.width,
    };
  };
  const onMove = (event: PointerEvent<HTMLDivElement>) => {
    if (!usable) return;
    const at = place(event);
    setHover(at);
    if (event.currentTarget.hasPointerCapture(event.pointerId)) player.seek(at.ms);
  };
  const onDown = (event: PointerEvent<HTMLDivElement>) => {
    if (!usable || event.button !== 0) return;
    // The drag goes on outside the strip, and the keyboard follows the pointer.
    event.preventDefault();
    event.currentTarget.setPointerCapture(event.pointerId);
    input.current?.focus({ preventScroll: true });
    const at = place(event);
    setHover(at);
    player.seek(at.ms);
  };
  const onUp = (event: PointerEvent<HTMLDivElement>) => {
    if (event.pointerType !== 'mouse') setHover(null);
  };
  // A tick is a few pixels wide: near it is on it.
  const slack = hover?.width ? (durationMs / hover.width) * 4 : 0;
  const under = hover ? itemAt(items, hover.ms, slack) : null;
  return (
    <div className={classes.frame}>
      <div
        ref={strip}
        className={classes.strip}
        data-disabled={usable ? undefined : true}
        onPointerDown={onDown}
        onPointerMove={onMove}
        onPointerUp={onUp}
        onPointerCancel={onUp}
        onPointerLeave={() => {
          setHover(null);
        }}
      >
        <canvas data-layer="marks" className={classes.layer} aria-hidden="true" />
        <canvas data-layer="rest" className={classes.layer} aria-hidden="true" />
        <canvas data-layer="played" className={classes.played} aria-hidden="true" />
        <span className={classes.head} aria-hidden="true" />
        {hover ? (
          <span
            className={classes.pointer}
            style={{ left: `${(hover.share * 100).toFixed(2)}%` }}
            aria-hidden="true"
          />
        ) : null}
        <input
          ref={input}
          type="range"
          className={classes.range}
          min={0}
          max={Math.max(1, Math.round(durationMs))}
          step={100}
          defaultValue={0}
          disabled={!usable}
          aria-label={t('player.position')}
          onChange={(event) => {
            player.seek(Number(event.currentTarget.value));
          }}
        />
      </div>
      {hover ? (
        <div
          className={`tabular ${classes.label ?? ''}`}
          style={{ '--at': hover.share } as React.CSSProperties}
          aria-hidden="true"
        >
          {clock(hover.ms)}
          {under ? ` · ${itemTitle(under)}` : ''}
        </div>
      ) : null}
    </div>
  );
}

interface Hover {
  /** 0..1 of the strip. */
  share: number;
  ms: number;
  width: number;
}

/** `0:12 of 3:00`, and whether text is missing or doubtful there. */
function spokenPosition(items: readonly ReviewItem[], ms: number, durationMs: number): string {
  const place = t('player.positionText', { time: clock(ms), total: clock(durationMs) });
  const item = itemAt(items, ms);
  return item ? `${place}, ${itemTitle(item)}` : place;
}

/** Draws when something to draw, the size or the theme changes; playing moves only a clip and a line. */
function useDrawing(
  strip: React.RefObject<HTMLDivElement | null>,
  peaks: Peaks | null,
  items: readonly ReviewItem[],
  durationMs: number,
): void {
  const { colorScheme } = useMantineColorScheme();
  useLayoutEffect(() => {
    const box = strip.current;
    if (!box) return;
    const layer = (name: string) =>
      box.querySelector<HTMLCanvasElement>(`canvas[data-layer=${name}]`);
    const draw = () => {
      const style = getComputedStyle(box);
      const colour = (name: string) => style.getPropertyValue(name).trim();
      const [marks, rest, played] = [layer('marks'), layer('rest'), layer('played')];
      if (rest) drawWave(rest, peaks, colour('--app-wave'));
      if (played) drawWave(played, peaks, colour('--app-wave-played'));
      if (!marks) return;
      drawMarks(marks, items, durationMs, {
        wave: colour('--app-wave'),
        gap: colour('--app-gap'),
        gapEdge: colour('--app-gap-edge'),
        flag: colour('--app-flag'),
      });
    };
    draw();
    const sizes = new ResizeObserver(draw);
    sizes.observe(box);
    // The theme may also change with the system, while "as the system" stays chosen.
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const later = () => requestAnimationFrame(draw);
    scheme.addEventListener('change', later);
    return () => {
      sizes.disconnect();
      scheme.removeEventListener('change', later);
    };
  }, [strip, peaks, items, durationMs, colorScheme]);
}
