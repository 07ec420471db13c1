import { ActionIcon, Button, Group, Text, Title } from '@mantine/core';
import {
  IconAlertTriangle,
  IconArrowDown,
  IconArrowUp,
  IconEar,
  IconVolumeOff,
} from '@tabler/icons-react';
import { useId, useState } from 'react';

import type { Gap } from '@/api/types';
import { clock } from '@/lib/format';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-review';

import { flagHint, gapRange, itemTitle } from './item-text';
import type { ReviewItem } from './review';
import classes from './review.module.css';

const FEW = 3;
/** Never more rows in the page than this at once; the jumps reach all. */
const MANY = 100;

interface Props {
  items: readonly ReviewItem[];
  onShow: (item: ReviewItem) => void;
  onStep: (step: 1 | -1) => void;
  /** Listens again to one gap, or to all; undefined where the job cannot now. */
  onListen: ((gap: Gap | null) => void) | undefined;
  busy: boolean;
}

/** Everything in the text that a reader should check, in the order of the recording. */
export function ReviewPanel({ items, onShow, onStep, onListen, busy }: Props) {
  const titleId = useId();
  const [shown, setShown] = useState(FEW);
  const gaps = items.filter((item) => item.kind === 'gap').length;
  const rest = Math.min(items.length, shown === FEW ? MANY : shown + MANY);
  return (
    <section className={`card ${classes.panel ?? ''}`} aria-labelledby={titleId}>
      <Group justify="space-between" wrap="nowrap" gap="xs">
        <Title order={2} id={titleId}>
          {t('review.title', { count: items.length })}
        </Title>
        <Group gap={0} wrap="nowrap">
          <ActionIcon
            variant="subtle"
            color="gray"
            size={44}
            aria-label={t('review.previous')}
            onClick={() => {
              onStep(-1);
            }}
          >
            <IconArrowUp size={20} />
          </ActionIcon>
          <ActionIcon
            variant="subtle"
            color="gray"
            size={44}
            aria-label={t('review.next')}
            onClick={() => {
              onStep(1);
            }}
          >
            <IconArrowDown size={20} />
          </ActionIcon>
        </Group>
      </Group>
      <ul className={classes.items}>
        {inSight(items, shown).map((item) => (
          <Row key={item.id} item={item} onShow={onShow} onListen={onListen} busy={busy} />
        ))}
      </ul>
      <Group gap="xs" mt={items.length > FEW || gaps > 1 ? 'xs' : 0}>
        {gaps > 1 && onListen ? (
          <Button
            variant="light"
            h={44}
            leftSection={<IconEar size={18} />}
            loading={busy}
            onClick={() => {
              onListen(null);
            }}
          >
            {t('review.listenAll')}
          </Button>
        ) : null}
        {items.length > shown ? (
          <Button
            variant="subtle"
            h={44}
            onClick={() => {
              setShown(rest);
            }}
          >
            {t('review.showMore', { count: rest - shown })}
          </Button>
        ) : null}
        {shown > FEW ? (
          <Button
            variant="subtle"
            color="gray"
            h={44}
            onClick={() => {
              setShown(FEW);
            }}
          >
            {t('review.showLess')}
          </Button>
        ) : null}
      </Group>
    </section>
  );
}

/** The first ones; while only a few are shown, gaps before doubts, in the order of the recording all the same. */
function inSight(items: readonly ReviewItem[], count: number): readonly ReviewItem[] {
  if (count > FEW || items.length <= count) return items.slice(0, count);
  const of = (kind: ReviewItem['kind']) => items.filter((item) => item.kind === kind);
  const gaps = of('gap').slice(0, count);
  const doubts = of('flag').slice(0, count - gaps.length);
  return items.filter((item) => gaps.includes(item) || doubts.includes(item));
}

type RowProps = Pick<Props, 'onShow' | 'onListen' | 'busy'> & { item: ReviewItem };

function Row({ item, onShow, onListen, busy }: RowProps) {
  const gap = item.kind === 'gap';
  const Icon = gap ? IconVolumeOff : IconAlertTriangle;
  return (
    <li className={classes.item}>
      <button
        type="button"
        className={`tabular ${classes.time ?? ''}`}
        aria-label={t('transcript.seek', { time: clock(item.start_ms) })}
        onClick={() => {
          onShow(item);
        }}
      >
        {clock(item.start_ms)}
      </button>
      <div className={classes.body}>
        <Text fw={600} size="sm" className={gap ? classes.gap : classes.flag}>
          <Icon size={16} aria-hidden="true" /> {itemTitle(item)}
        </Text>
        <Text size="sm" c="dimmed" lineClamp={2}>
          {gap ? t('review.gapHint') : item.flags.map(flagHint).join(' ')}
        </Text>
        {gap ? null : (
          <Text size="sm" dir="auto" lineClamp={2}>
            {item.text}
          </Text>
        )}
      </div>
      {gap && onListen ? (
        <Button
          variant="default"
          h={44}
          className={classes.action}
          loading={busy}
          aria-label={t('review.listenTo', { range: gapRange(item) })}
          onClick={() => {
            onListen({ start_ms: item.start_ms, end_ms: item.end_ms });
          }}
        >
          {t('review.listen')}
        </Button>
      ) : null}
    </li>
  );
}
