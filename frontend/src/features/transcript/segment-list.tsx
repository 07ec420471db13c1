import { Button } from '@mantine/core';
import { IconArrowDown } from '@tabler/icons-react';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';

import type { Segment, Speaker } from '@/api/types';
import { t } from '@/lib/i18n';

import { Highlighter } from './highlight';
import { segmentAt } from './model';
import type { Player } from './player';
import { SegmentRow } from './segment-row';
import { startsTurn, type SpeakerLabel } from './speakers';
import classes from './transcript.module.css';

interface Props {
  segments: readonly Segment[];
  player: Player;
  language: string | undefined;
  labels: ReadonlyMap<string, SpeakerLabel>;
  /** Undefined where speakers cannot be named now. */
  onRename: ((speaker: Speaker) => void) | undefined;
  underline: boolean;
}

const reducedMotion = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

/** Virtual rows: a three-hour transcript keeps a few dozen of them in the page. */
export function SegmentList({ segments, player, language, labels, onRename, underline }: Props) {
  const list = useRef<HTMLOListElement>(null);
  const highlighter = useMemo(() => new Highlighter(), []);
  const [offset, setOffset] = useState(0);
  const following = useRef(true);
  const [away, setAway] = useState(false);
  const virtualizer = useWindowVirtualizer({
    count: segments.length,
    estimateSize: () => 64,
    overscan: 8,
    scrollMargin: offset,
    getItemKey: (index) => segments[index]?.id ?? index,
  });

  useLayoutEffect(() => {
    const measure = () => {
      const top = list.current?.getBoundingClientRect().top ?? 0;
      setOffset(Math.round(top + scrollY));
    };
    measure();
    // Panels above open and close, and the rows move with them.
    const sizes = new ResizeObserver(measure);
    sizes.observe(document.body);
    return () => {
      sizes.disconnect();
    };
  }, [segments.length === 0]); // eslint-disable-line react-hooks/exhaustive-deps

  const showRow = useCallback(
    (index: number) => {
      virtualizer.scrollToIndex(Math.max(0, index), {
        align: 'center',
        behavior: reducedMotion() ? 'auto' : 'smooth',
      });
    },
    [virtualizer],
  );

  useEffect(() => {
    highlighter.watchRow((index) => {
      if (index >= 0 && following.current && player.state.get().playing) showRow(index);
    });
    highlighter.setSegments(segments, player.nowMs);
  }, [highlighter, segments, player, showRow]);

  useEffect(() => {
    const off = player.onTick((ms) => {
      highlighter.update(ms);
    });
    return () => {
      off();
      highlighter.clear();
    };
  }, [highlighter, player]);

  useEffect(() => {
    highlighter.setMarking(underline);
  }, [highlighter, underline]);

  useEffect(() => {
    // Only a person's own scrolling stops the follow-scroll, never that of the page itself.
    const stop = () => {
      if (!player.state.get().playing || !following.current) return;
      following.current = false;
      setAway(true);
    };
    const onKey = (event: KeyboardEvent) => {
      if (['PageUp', 'PageDown', 'Home', 'End'].includes(event.key)) stop();
    };
    addEventListener('wheel', stop, { passive: true });
    addEventListener('touchmove', stop, { passive: true });
    addEventListener('keydown', onKey);
    return () => {
      removeEventListener('wheel', stop);
      removeEventListener('touchmove', stop);
      removeEventListener('keydown', onKey);
    };
  }, [player]);

  const follow = useCallback(() => {
    following.current = true;
    setAway(false);
  }, []);

  useEffect(
    () =>
      player.onShow((ms) => {
        follow();
        showRow(segmentAt(segments, ms));
      }),
    [player, follow, showRow, segments],
  );

  const seek = useCallback(
    (ms: number) => {
      follow();
      player.seek(ms);
    },
    [follow, player],
  );

  return (
    <>
      <ol
        ref={list}
        className={classes.list}
        aria-label={t('transcript.segments')}
        style={{ height: virtualizer.getTotalSize() }}
      >
        {virtualizer.getVirtualItems().map((item) => {
          const segment = segments[item.index];
          if (!segment) return null;
          return (
            <li
              key={item.key}
              data-index={item.index}
              aria-setsize={segments.length}
              aria-posinset={item.index + 1}
              className={classes.item}
              ref={(row) => {
                virtualizer.measureElement(row);
                highlighter.setRow(item.index, row);
              }}
              style={{ transform: `translateY(${String(item.start - offset)}px)` }}
            >
              <SegmentRow
                segment={segment}
                language={language}
                label={segment.speaker ? labels.get(segment.speaker) : undefined}
                named={startsTurn(segments, item.index)}
                onRename={onRename}
                onSeek={seek}
              />
            </li>
          );
        })}
      </ol>
      {away ? (
        <Button
          className={classes.jump}
          radius="xl"
          size="md"
          leftSection={<IconArrowDown size={18} />}
          onClick={() => {
            follow();
            showRow(highlighter.index);
          }}
        >
          {t('transcript.jump')}
        </Button>
      ) : null}
    </>
  );
}
