import { Group, Skeleton, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';

import { recentQuery } from '@/api/jobs';
import { LinkAnchor } from '@/components/ui/link-anchor';
import { useNow } from '@/hooks/use-now';
import { ago } from '@/lib/format';
import { t } from '@/lib/i18n';

import { JobState } from './job-row';
import classes from './jobs.module.css';

export function RecentJobs() {
  const query = useQuery(recentQuery);
  const now = useNow();
  if (query.isPending) {
    return (
      <div role="status" aria-label={t('loading')}>
        <Skeleton height={64} radius="lg" mt={40} />
      </div>
    );
  }
  // The list page tells about failures; here the list is an extra.
  const jobs = query.data?.items ?? [];
  if (jobs.length === 0) return null;
  return (
    <section aria-labelledby="recent-title">
      <Group justify="space-between" mb="xs">
        <Title order={2} id="recent-title">
          {t('jobs.recent')}
        </Title>
        <LinkAnchor to="/jobs" search={{}} size="sm" py={4}>
          {t('jobs.recentAll')}
        </LinkAnchor>
      </Group>
      <ul className={`card ${classes.recent ?? ''}`}>
        {jobs.map((job) => (
          <li key={job.id}>
            <Link
              to="/t/$jobId"
              params={{ jobId: job.id }}
              search={{}}
              className={classes.recentRow}
            >
              <Group justify="space-between" wrap="nowrap" gap="xs" mb={6}>
                <Text span fw={600} truncate dir="auto">
                  {job.filename}
                </Text>
                <Text span size="sm" c="dimmed" style={{ flexShrink: 0 }}>
                  {ago(job.created_at, now)}
                </Text>
              </Group>
              <JobState job={job} />
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}
