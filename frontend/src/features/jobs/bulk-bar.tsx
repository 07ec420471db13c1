import { Button, CloseButton, Group, Progress, Text } from '@mantine/core';
import { modals } from '@mantine/modals';
import { IconBan, IconRefresh, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';

import { countQuery } from '@/api/jobs';
import type { JobFilter } from '@/api/keys';
import type { BulkAction, Job } from '@/api/types';
import { t, tn } from '@/lib/i18n';

import classes from './bulk.module.css';
import { ACTIONS, suits } from './bulk-plan';
import { isEmpty } from './selection';
import { useBulk, type BulkProgress } from './use-bulk';
import type { SelectionControl } from './use-selection';

const ICONS = { cancel: IconBan, retry: IconRefresh, delete: IconTrash } as const;

interface Props {
  filter: JobFilter;
  /** The rows at hand. */
  jobs: readonly Job[];
  /** Whether the filter finds more than those. */
  more: boolean;
  control: SelectionControl;
  /** What had the focus in the bar is about to go: the list takes it, so that keys go on. */
  onGone: () => void;
}

/** What can be done with the selected jobs; stays in sight while the list scrolls. */
export function BulkBar({ filter, jobs, more, control, onGone }: Props) {
  const { selection } = control;
  const all = selection.allBefore !== null;
  const picked = jobs.filter((job) => selection.ids.has(job.id));
  const offersAll = more && !all && picked.length === jobs.length;
  const count = useQuery({ ...countQuery(filter), enabled: offersAll || all }).data;
  const bulk = useBulk(control.settle);
  const then = (change: () => void) => () => {
    change();
    onGone();
  };
  if (isEmpty(selection) && bulk.progress === null) return null;

  const matching = count
    ? count.more
      ? t('bulk.more', { count: count.count })
      : String(count.count)
    : null;
  const run = (action: BulkAction, targets: readonly Job[]) => {
    const begin = () => {
      if (selection.allBefore !== null) {
        const total = count && !count.more ? count.count : null;
        bulk.start(action, { filter, before: selection.allBefore }, total);
      } else {
        bulk.start(action, { ids: targets.map((job) => job.id) }, targets.length);
      }
    };
    if (action === 'delete') askToDelete(all ? matching : String(targets.length), begin);
    else then(begin)();
  };

  return (
    <section className={classes.bar} aria-label={t('bulk.region')}>
      {bulk.progress ? (
        <Running progress={bulk.progress} onStop={bulk.stop} />
      ) : (
        <>
          <Group gap="xs" className={classes.what}>
            <CloseButton size={44} aria-label={t('bulk.clear')} onClick={then(control.clear)} />
            <Text role="status" fw={600} className="tabular">
              {all
                ? matching
                  ? t('bulk.allSelected', { count: matching })
                  : t('bulk.allUncounted')
                : tn('bulk.selected', picked.length)}
            </Text>
            {!all && picked.length < jobs.length ? (
              <Button
                variant="subtle"
                size="compact-md"
                h={44}
                onClick={then(control.changeLoaded)}
              >
                {t('bulk.selectAllShown')}
              </Button>
            ) : null}
            {offersAll && matching ? (
              <Button
                variant="subtle"
                size="compact-md"
                h={44}
                onClick={then(control.selectMatching)}
              >
                {t('bulk.selectAll', { count: matching })}
              </Button>
            ) : null}
          </Group>
          <Group gap="xs" className={classes.actions}>
            {ACTIONS.map((action) => {
              const targets = picked.filter((job) => suits(action, job));
              const Icon = ICONS[action];
              return (
                <Button
                  key={action}
                  h={44}
                  variant={action === 'delete' ? 'light' : 'default'}
                  {...(action === 'delete' ? { color: 'red' } : {})}
                  leftSection={<Icon size={18} />}
                  disabled={!all && targets.length === 0}
                  onClick={() => {
                    run(action, targets);
                  }}
                >
                  {all || targets.length === 0
                    ? t(`bulk.${action}`)
                    : t('bulk.withCount', { action: t(`bulk.${action}`), count: targets.length })}
                </Button>
              );
            })}
          </Group>
        </>
      )}
    </section>
  );
}

function Running({ progress, onStop }: { progress: BulkProgress; onStop: () => void }) {
  const { done, total } = progress;
  const text =
    total === null ? t('bulk.progressUncounted', { done }) : t('bulk.progress', { done, total });
  return (
    <>
      <div className={classes.what}>
        <Text role="status" size="sm" mb={6} className="tabular">
          {text}
        </Text>
        <Progress.Root size="sm">
          <Progress.Section
            value={total ? Math.min(100, (done / total) * 100) : 100}
            animated
            aria-label={text}
          />
        </Progress.Root>
      </div>
      <Button variant="default" h={44} onClick={onStop}>
        {t('bulk.stop')}
      </Button>
    </>
  );
}

function askToDelete(count: string | null, begin: () => void): void {
  modals.openConfirmModal({
    title: count === null ? t('bulk.deleteTitleAll') : t('bulk.deleteTitle', { count }),
    children: t('bulk.deleteText'),
    labels: { confirm: t('action.delete'), cancel: t('action.cancel') },
    confirmProps: { color: 'red' },
    onConfirm: begin,
  });
}
