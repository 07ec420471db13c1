import { Alert, Badge, Stack, Text, Title } from '@mantine/core';
import { IconCircleCheck, IconExclamationCircle } from '@tabler/icons-react';
import type { ReactNode } from 'react';

import type { Ready, ServerStatus as Status } from '@/api/types';
import { MarkedText } from '@/components/ui/marked-text';
import { lookup, t } from '@/lib/i18n';
import '@/lib/i18n/en-server';

import classes from './status.module.css';

/** Whether the server can do its work, and what it is made of. */
export function ServerStatus({ ready, status }: { ready: Ready; status: Status }) {
  const well = ready.status === 'ready';
  return (
    <Stack gap="lg">
      <Alert
        role="status"
        variant="light"
        color={well ? 'green' : 'red'}
        icon={well ? <IconCircleCheck /> : <IconExclamationCircle />}
        title={t(well ? 'server.ready' : 'server.notReady')}
      />
      <section className="card" style={{ padding: 24 }}>
        <Title order={2} mb="sm">
          {t('server.checks')}
        </Title>
        <dl className={classes.facts}>
          {Object.entries(ready.checks).map(([name, check]) => (
            <Fact key={name} name={lookup('check', name, name)}>
              <Badge color={check.ok ? 'green' : 'red'}>
                {t(check.ok ? 'server.ok' : 'server.bad')}
              </Badge>{' '}
              <Text span size="sm">
                <MarkedText text={check.detail} />
              </Text>
            </Fact>
          ))}
        </dl>
      </section>
      <section className="card" style={{ padding: 24 }}>
        <Title order={2} mb="sm">
          {t('server.made')}
        </Title>
        <dl className={classes.facts}>
          <Fact name={t('server.version')}>{status.version}</Fact>
          <Fact name={t('server.database')}>{status.database.dialect}</Fact>
          <Fact name={t('server.storage')}>
            {lookup('server.storage', status.storage.backend, status.storage.backend)}
          </Fact>
          <Fact name={t('server.mail')}>
            <MarkedText text={t(status.mail.sends ? 'server.mailSent' : 'server.mailWritten')} />
          </Fact>
          <Links state={status.yt_dlp} />
        </dl>
      </section>
    </Stack>
  );
}

function Links({ state }: { state: Status['yt_dlp'] }) {
  if (!state.enabled) return <Fact name={t('server.links')}>{t('server.linksOff')}</Fact>;
  const { version, upgraded, javascript } = state;
  return (
    <>
      <Fact name={t('server.links')}>
        {version ? t('server.ytdlp', { version }) : t('server.ytdlpMissing')}
        {upgraded ? ` (${t('server.upgraded')})` : ''}
      </Fact>
      <Fact name={t('server.javascript')}>
        {javascript
          ? [javascript.name, javascript.version].filter(Boolean).join(' ')
          : t('server.noJavascript')}
      </Fact>
    </>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className={classes.fact}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
