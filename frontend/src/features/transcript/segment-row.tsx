import { IconAlertTriangle } from '@tabler/icons-react';
import { memo, useId, useState, type CSSProperties, type MouseEvent } from 'react';

import type { Segment, Speaker } from '@/api/types';
import { clock } from '@/lib/format';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-review';

import { offsetFromPoint } from './highlight';
import { flagHint, flagName } from './item-text';
import { wordAtOffset } from './model';
import type { SpeakerLabel } from './speakers';
import classes from './transcript.module.css';

interface Props {
  segment: Segment;
  language: string | undefined;
  label: SpeakerLabel | undefined;
  /** Whether the speaker's name stands above: at the first segment of a turn. */
  named: boolean;
  onRename: ((speaker: Speaker) => void) | undefined;
  onSeek: (ms: number) => void;
}

/** The text of a row is one text node, so that words can be found by their offset in it. */
export const SegmentRow = memo(function SegmentRow(props: Props) {
  const { segment, language, label, named, onRename, onSeek } = props;
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
      <div
        className={`${classes.body ?? ''} ${label ? (classes.spoken ?? '') : ''}`}
        style={label ? ({ '--speaker': label.colour } as CSSProperties) : undefined}
      >
        {label && named ? <Name label={label} onRename={onRename} /> : null}
        {/* The button beside it does the same from the keyboard. */}
        {/* eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-noninteractive-element-interactions */}
        <p className={classes.text} data-text dir="auto" lang={language} onClick={onText}>
          {segment.text}
        </p>
        {segment.flags.length > 0 ? <Flags flags={segment.flags} /> : null}
      </div>
    </div>
  );
});

function Name({ label, onRename }: Pick<Props, 'onRename'> & { label: SpeakerLabel }) {
  const { speaker } = label;
  if (!onRename) {
    return (
      <div className={classes.speaker} dir="auto">
        {speaker.name}
      </div>
    );
  }
  return (
    <button
      type="button"
      className={classes.speaker}
      dir="auto"
      title={t('speakers.rename', { name: speaker.name })}
      onClick={() => {
        onRename(speaker);
      }}
    >
      {speaker.name}
    </button>
  );
}

/** Doubts about a passage: names to be seen, and what they mean by pointing or pressing. */
function Flags({ flags }: { flags: readonly string[] }) {
  const [open, setOpen] = useState(false);
  const hintId = useId();
  const hints = flags.map(flagHint).join(' ');
  return (
    <>
      <button
        type="button"
        className={classes.flag}
        title={hints}
        aria-expanded={open}
        aria-controls={hintId}
        onClick={() => {
          setOpen(!open);
        }}
      >
        <IconAlertTriangle size={14} aria-hidden="true" />
        {t('transcript.flag')}: {flags.map(flagName).join(', ')}
      </button>
      <p id={hintId} className={classes.hint} hidden={!open}>
        {hints}
      </p>
    </>
  );
}
