import { IconAlertTriangle } from '@tabler/icons-react';
import { memo, type MouseEvent } from 'react';

import type { Segment } from '@/api/types';
import { clock } from '@/lib/format';
import { t } from '@/lib/i18n';

import { offsetFromPoint } from './highlight';
import { wordAtOffset } from './model';
import classes from './transcript.module.css';

interface Props {
  segment: Segment;
  language: string | undefined;
  onSeek: (ms: number) => void;
}

/** The text of a row is one text node, so that words can be found by their offset in it. */
export const SegmentRow = memo(function SegmentRow({ segment, language, onSeek }: Props) {
  const onText = (event: MouseEvent<HTMLElement>) => {
    // Selecting text is no wish to jump.
    if (!getSelection()?.isCollapsed) return;
    const point = offsetFromPoint(event.clientX, event.clientY);
    const inside = point && event.currentTarget.contains(point.node);
    const word = inside ? wordAtOffset(segment, point.offset) : null;
    onSeek(word?.start_ms ?? segment.start_ms);
  };
  const time = clock(segment.start_ms);
  return (
    <div className={classes.row}>
      <button
        type="button"
        className={`tabular ${classes.time ?? ''}`}
        aria-label={t('transcript.seek', { time })}
        onClick={() => {
          onSeek(segment.start_ms);
        }}
      >
        {time}
      </button>
      <div className={classes.body}>
        {segment.speaker ? <div className={classes.speaker}>{segment.speaker}</div> : null}
        {/* The button beside it does the same from the keyboard. */}
        {/* eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-noninteractive-element-interactions */}
        <p className={classes.text} data-text dir="auto" lang={language} onClick={onText}>
          {segment.text}
        </p>
        {segment.flags.length > 0 ? (
          <span className={classes.flag} title={segment.flags.join(', ').replaceAll('_', ' ')}>
            <IconAlertTriangle size={14} aria-hidden="true" />
            {t('transcript.flag')}
          </span>
        ) : null}
      </div>
    </div>
  );
});
