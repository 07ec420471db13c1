import { Checkbox } from '@mantine/core';
import { useRef } from 'react';

import { t } from '@/lib/i18n';

import classes from './jobs.module.css';

interface Props {
  name: string;
  checked: boolean;
  onChange: (range: boolean) => void;
}

/** The box of a row, whose whole cell answers. With Shift, by pointer or keyboard, it takes the range. */
export function SelectBox({ name, checked, onChange }: Props) {
  const shift = useRef(false);
  return (
    <div className={classes.box}>
      <Checkbox
        classNames={{ input: classes.boxInput ?? '' }}
        aria-label={t('bulk.select', { name })}
        checked={checked}
        onClick={(event) => {
          shift.current = event.shiftKey;
        }}
        onKeyDown={(event) => {
          if (event.key !== ' ' || !event.shiftKey) return;
          event.preventDefault();
          onChange(true);
        }}
        onChange={() => {
          onChange(shift.current);
        }}
      />
    </div>
  );
}
