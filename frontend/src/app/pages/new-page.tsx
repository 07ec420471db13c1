import { Alert, Code, Stack } from '@mantine/core';
import { IconAlertTriangle, IconEye } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';

import { useOptions } from '@/api/options';
import { workspaceSettingsQuery } from '@/api/workspaces';
import { EmptyState } from '@/components/ui/empty-state';
import { PageHeader } from '@/components/ui/page-header';
import { RecentJobs } from '@/features/jobs/recent-jobs';
import { setStandard } from '@/features/upload/choices';
import { DropCard } from '@/features/upload/drop-card';
import { LinkCard } from '@/features/upload/link-card';
import { OptionsForm } from '@/features/upload/options-form';
import { QueueList } from '@/features/upload/queue-list';
import { Unfinished } from '@/features/upload/unfinished';
import { useLiveJobs } from '@/hooks/use-live';
import { useTitle } from '@/hooks/use-title';
import { useWorkspace } from '@/hooks/use-workspace';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-workspaces';
import { downloadCommand, engineName } from '@/lib/job-text';

import classes from './new-page.module.css';

export function NewPage() {
  useTitle(t('new.title'));
  useLiveJobs();
  const options = useOptions().data;
  const workspace = useWorkspace();
  const id = workspace?.id ?? '';
  const settings = useQuery({ ...workspaceSettingsQuery(id), enabled: Boolean(id) }).data;
  useEffect(() => {
    if (settings) setStandard(id, settings);
  }, [id, settings]);
  if (workspace?.role === 'viewer') return <ViewerPage name={workspace.name} />;
  const standard = options?.default_engine;
  return (
    <>
      <PageHeader title={t('new.title')} />
      <div className={classes.columns}>
        <Stack gap="lg" miw={0}>
          {standard?.low_accuracy ? (
            <Alert
              color="orange"
              variant="light"
              icon={<IconAlertTriangle />}
              title={t('lowAccuracy.title')}
            >
              {t('lowAccuracy.new', { engine: engineName(standard.engine) })}{' '}
              {t('lowAccuracy.command')} <Code>{downloadCommand(options?.models ?? [])}</Code>
            </Alert>
          ) : null}
          <DropCard options={options} />
          <LinkCard options={options} />
          <Unfinished />
          <QueueList />
        </Stack>
        <Stack gap="lg" miw={0}>
          <section className={`card ${classes.options ?? ''}`} aria-label={t('options.title')}>
            <OptionsForm options={options} />
          </section>
          <RecentJobs />
        </Stack>
      </div>
    </>
  );
}

/** Viewers add nothing; they are shown the way to what there is. */
function ViewerPage({ name }: { name: string }) {
  return (
    <Stack gap="lg" maw={560} mx="auto">
      <EmptyState
        icon={<IconEye size={30} />}
        title={t('workspaces.readOnlyTitle')}
        text={t('workspaces.readOnlyText', { name })}
      />
      <RecentJobs />
    </Stack>
  );
}
