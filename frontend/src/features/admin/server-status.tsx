import { Alert, Badge, Stack, Text, Title } from '@mantine/core';
import { IconCircleCheck, IconExclamationCircle } from '@tabler/icons-react';
import type { ReactNode } from 'react';

import type { ManagedModel, Options, Ready, ServerStatus as Status } from '@/api/types';
import { LinkAnchor } from '@/components/ui/link-anchor';
import { MarkedText } from '@/components/ui/marked-text';
import { lookup, t } from '@/lib/i18n';
import '@/lib/i18n/en-server';
import { engineName } from '@/lib/job-text';

import classes from './status.module.css';

interface Props {
  ready: Ready;
  status: Status;
  models: readonly ManagedModel[];
  options: Options;
}

/** Whether the server can do its work, and what it is made of. */
export function ServerStatus({ ready, status, models, options }: Props) {
  return (
    <Stack gap="lg">
      <Verdict ready={ready} models={models} options={options} />
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

/** Some engine takes every job; that a better one waits for its model is told as well. */
function Verdict({ ready, models, options }: Omit<Props, 'status'>) {
  const { engine, low_accuracy: low, reason } = options.default_engine;
  const well = ready.status === 'ready';
  const weak = low || engine === null;
  const model = models.find(
    ({ kind, default: taken, state }) =>
      kind === 'speech' && taken && (state === 'invalid' || (weak && state !== 'present')),
  );
  if (well && !weak && !model) {
    return (
      <Alert
        role="status"
        variant="light"
        color="green"
        icon={<IconCircleCheck />}
        title={t('server.ready')}
      />
    );
  }
  const state = model && model.state !== 'present' ? model.state : 'absent';
  return (
    <Alert
      role="status"
      variant="light"
      color={well ? 'yellow' : 'red'}
      icon={<IconExclamationCircle />}
      title={t(well ? 'server.weak' : 'server.notReady')}
    >
      {model ? t(`server.model.${state}`, { name: model.name }) : null}
      {!model && weak && reason ? <MarkedText text={reason} /> : null}{' '}
      {low && engine ? `${t('server.lowAccuracy', { engine: engineName(engine) })} ` : null}
      {model ? (
        <LinkAnchor to="/admin/models" underline="always" inherit>
          {t('server.toModels')}
        </LinkAnchor>
      ) : null}
    </Alert>
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
