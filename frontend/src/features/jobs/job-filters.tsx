import { CloseButton, SegmentedControl, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useEffect, useState } from 'react';

import { JOB_TABS, type JobFilter, type JobTab } from '@/api/keys';
import { useDebounced } from '@/hooks/use-debounced';
import { t } from '@/lib/i18n';

import classes from './jobs.module.css';

interface Props {
  filter: JobFilter;
  onChange: (change: Partial<JobFilter>) => void;
}

/** Status and search; the page keeps both in the address. */
export function JobFilters({ filter, onChange }: Props) {
  const [typed, setTyped] = useState(filter.q);
  const settled = useDebounced(typed);
  const [shown, setShown] = useState(filter.q);
  // The address changed by another way (back button, "show all"): follow it.
  if (filter.q !== shown) {
    setShown(filter.q);
    setTyped(filter.q);
  }
  useEffect(() => {
    if (settled === typed && settled.trim() !== filter.q) onChange({ q: settled.trim() });
    // Only what was typed starts a search.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [settled]);
  return (
    <search className={classes.filters}>
      <SegmentedControl
        aria-label={t('jobs.filter')}
        data={JOB_TABS.map((tab) => ({ value: tab, label: t(`jobs.tab.${tab}`) }))}
        value={filter.tab}
        onChange={(tab) => {
          onChange({ tab: tab as JobTab });
        }}
      />
      <TextInput
        className={classes.search}
        type="search"
        aria-label={t('jobs.search')}
        placeholder={t('jobs.search')}
        leftSection={<IconSearch size={18} />}
        value={typed}
        onChange={(event) => {
          setTyped(event.currentTarget.value);
        }}
        rightSection={
          typed ? (
            <CloseButton
              aria-label={t('action.clear')}
              onClick={() => {
                setTyped('');
              }}
            />
          ) : null
        }
      />
    </search>
  );
}
