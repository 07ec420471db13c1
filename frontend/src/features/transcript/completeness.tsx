import { IconAlertTriangle, IconCircleCheck } from '@tabler/icons-react';

import { clock } from '@/lib/format';
import { t, tn } from '@/lib/i18n';
import '@/lib/i18n/en-review';

import type { Completeness } from './review';
import classes from './review.module.css';

/** How much of the speech has text. */
export function CompletenessLine({ value }: { value: Completeness }) {
  const speech = clock(value.speechMs);
  const covered = clock(value.coveredMs);
  if (value.whole) {
    return (
      <p className={`tabular ${classes.line ?? ''} ${classes.whole ?? ''}`}>
        <IconCircleCheck size={18} aria-hidden="true" />
        {t('complete.whole', { speech })}
      </p>
    );
  }
  const text = t('complete.part', { covered, speech });
  if (!value.doubtful) return <p className={`tabular ${classes.line ?? ''}`}>{text}</p>;
  return (
    <p className={`tabular ${classes.line ?? ''} ${classes.gap ?? ''}`}>
      <IconAlertTriangle size={18} aria-hidden="true" />
      {value.gaps > 0 ? `${text}, ${tn('complete.gaps', value.gaps)}` : text}
    </p>
  );
}
