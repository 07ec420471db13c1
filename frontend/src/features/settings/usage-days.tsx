import { Text, Title } from '@mantine/core';

import type { Usage } from '@/api/types';
import { count } from '@/lib/format';
import { t, tn } from '@/lib/i18n';
import '@/lib/i18n/en-workspaces';
import { dayName, daysOf } from '@/lib/month';

import classes from './usage.module.css';

/** Minutes of audio on each day of a month. */
export function UsageDays({ usage }: { usage: Usage }) {
  // As they are said: what rounds to 0 has no bar either.
  const minutes = new Map(usage.by_day.map((day) => [day.date, Math.round(day.minutes * 10) / 10]));
  const most = Math.max(0, ...minutes.values());
  return (
    <section className="card" style={{ padding: 24 }}>
      <Title order={2}>{t('usage.byDay')}</Title>
      <Text size="sm" c="dimmed" mt={4} mb="md">
        {most > 0 || usage.jobs > 0 ? tn('usage.jobs', usage.jobs) : t('usage.none')}
      </Text>
      {most > 0 ? (
        <>
          <ol className={classes.days}>
            {daysOf(usage.month).map((date) => {
              const value = minutes.get(date) ?? 0;
              const said = t('usage.day', { date: dayName(date), minutes: count(value) });
              const height = value > 0 ? Math.max(3, (value / most) * 100) : 0;
              return (
                <li key={date} className={classes.day} title={said}>
                  <span className={classes.bar} style={{ height: `${height.toFixed(1)}%` }} />
                  <span className={classes.said}>{said}</span>
                </li>
              );
            })}
          </ol>
          <div className={`tabular ${classes.ends ?? ''}`} aria-hidden="true">
            <span>{dayName(`${usage.month}-01`)}</span>
            <span>{dayName(daysOf(usage.month).at(-1) ?? `${usage.month}-28`)}</span>
          </div>
        </>
      ) : null}
    </section>
  );
}
