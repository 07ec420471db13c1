import { Button, Text } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';

import type { JobFilter } from '@/api/keys';
import { PageHeader } from '@/components/ui/page-header';
import { JobFilters } from '@/features/jobs/job-filters';
import { JobList } from '@/features/jobs/job-list';
import { useLiveJobs } from '@/hooks/use-live';
import { useTitle } from '@/hooks/use-title';
import { t } from '@/lib/i18n';

export function JobsPage() {
  useTitle(t('jobs.title'));
  const up = useLiveJobs();
  const search = useSearch({ from: '/signed-in/jobs' });
  const navigate = useNavigate();
  const filter: JobFilter = { tab: search.status ?? 'all', q: search.q ?? '' };
  const go = (change: Partial<JobFilter>) => {
    const { tab, q } = { ...filter, ...change };
    void navigate({
      to: '/jobs',
      search: { ...(tab === 'all' ? {} : { status: tab }), ...(q ? { q } : {}) },
      replace: 'q' in change,
    });
  };
  return (
    <>
      <PageHeader title={t('jobs.title')}>
        <Button component={Link} to="/" leftSection={<IconPlus size={18} />}>
          {t('jobs.new')}
        </Button>
      </PageHeader>
      <JobFilters filter={filter} onChange={go} />
      <div role="status">
        {up ? null : (
          <Text size="sm" c="dimmed" mb="xs">
            {t('jobs.liveOff')}
          </Text>
        )}
      </div>
      <JobList
        filter={filter}
        onClear={() => {
          go({ q: '', tab: 'all' });
        }}
      />
    </>
  );
}
