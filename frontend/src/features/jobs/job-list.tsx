import { Button, Center, Checkbox, Skeleton, Stack, VisuallyHidden } from '@mantine/core';
import { IconFileText, IconFilterOff, IconSearchOff } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useMemo, useRef } from 'react';

import { jobsQuery } from '@/api/jobs';
import type { JobFilter } from '@/api/keys';
import { EmptyState } from '@/components/ui/empty-state';
import { ErrorState } from '@/components/ui/error-state';
import { useNow } from '@/hooks/use-now';
import { t } from '@/lib/i18n';

import { BulkBar } from './bulk-bar';
import { JobRow } from './job-row';
import classes from './jobs.module.css';
import { isSelected } from './selection';
import { useSelection } from './use-selection';

interface Props {
  filter: JobFilter;
  onClear: () => void;
}

export function JobList({ filter, onClear }: Props) {
  const query = useInfiniteQuery(jobsQuery(filter));
  const now = useNow();
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const jobs = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const control = useSelection(jobs.map((job) => job.id));
  const more = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const target = more.current;
    if (!target || !hasNextPage || isFetchingNextPage) return;
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) void fetchNextPage();
      },
      { rootMargin: '400px' },
    );
    observer.observe(target);
    return () => {
      observer.disconnect();
    };
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);

  if (query.isPending) return <ListSkeleton />;
  if (query.isError && !query.data) {
    return (
      <ErrorState
        error={query.error}
        title={t('jobs.loadFailed')}
        onRetry={() => void query.refetch()}
      />
    );
  }
  const { selection } = control;
  const chosen = jobs.filter((job) => isSelected(selection, job.id)).length;
  if (jobs.length === 0) return <NothingListed filter={filter} onClear={onClear} />;
  return (
    // Keys for the boxes and the bar inside; each of them is a control of its own.
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions
    <div ref={list} tabIndex={-1} className={classes.list} onKeyDown={control.onKeyDown}>
      <div className="card">
        <VisuallyHidden id="bulk-keys">{t('bulk.keys')}</VisuallyHidden>
        <table className={classes.table} aria-describedby="bulk-keys">
          <thead>
            <tr>
              <td className={classes.colBox}>
                <Checkbox
                  classNames={{ input: classes.boxInput ?? '' }}
                  aria-label={t('bulk.selectLoaded')}
                  checked={chosen === jobs.length}
                  indeterminate={chosen > 0 && chosen < jobs.length}
                  onChange={control.changeLoaded}
                />
              </td>
              <th scope="col">{t('jobs.column.file')}</th>
              <th scope="col" className={classes.colStatus}>
                {t('jobs.column.status')}
              </th>
              <th scope="col" className={classes.colLength}>
                {t('jobs.column.length')}
              </th>
              <th scope="col" className={classes.colAdded}>
                {t('jobs.column.added')}
              </th>
              <th scope="col" className={classes.colMenu}>
                {t('jobs.column.actions')}
              </th>
            </tr>
          </thead>
          <tbody>
            {jobs.map((job) => (
              <JobRow
                key={job.id}
                job={job}
                now={now}
                selected={isSelected(selection, job.id)}
                onSelect={control.change}
              />
            ))}
          </tbody>
        </table>
      </div>
      {hasNextPage ? (
        <Center ref={more} py="lg">
          <Button
            variant="default"
            loading={isFetchingNextPage}
            onClick={() => void fetchNextPage()}
          >
            {t('action.loadMore')}
          </Button>
        </Center>
      ) : null}
      <BulkBar
        filter={filter}
        jobs={jobs}
        more={hasNextPage}
        control={control}
        onGone={() => list.current?.focus({ preventScroll: true })}
      />
    </div>
  );
}

function NothingListed({ filter, onClear }: Props) {
  if (filter.q) {
    return (
      <EmptyState
        live
        icon={<IconSearchOff size={30} />}
        title={t('jobs.noMatch.title')}
        text={t('jobs.noMatch.text', { q: filter.q })}
      >
        <Button variant="light" mt="xs" onClick={onClear}>
          {t('jobs.noMatch.action')}
        </Button>
      </EmptyState>
    );
  }
  if (filter.tab !== 'all') {
    return (
      <EmptyState
        live
        icon={<IconFilterOff size={30} />}
        title={t('jobs.emptyTab.title')}
        text={t('jobs.emptyTab.text')}
      />
    );
  }
  return (
    <EmptyState
      icon={<IconFileText size={30} />}
      title={t('jobs.empty.title')}
      text={t('jobs.empty.text')}
    >
      <Button component={Link} to="/" mt="xs">
        {t('jobs.empty.action')}
      </Button>
    </EmptyState>
  );
}

function ListSkeleton() {
  return (
    <div className="card" role="status" aria-label={t('loading')}>
      <Stack gap={0}>
        {[70, 50, 62, 44].map((width) => (
          <div key={width} className={classes.skeleton}>
            <Skeleton height={16} width={`${String(width)}%`} mb={10} />
            <Skeleton height={12} width="30%" />
          </div>
        ))}
      </Stack>
    </div>
  );
}
