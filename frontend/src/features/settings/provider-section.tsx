import { Alert, Button, Group, Modal, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { beginLink, identitiesQuery, useRemoveIdentity } from '@/api/oidc';
import { useOptions } from '@/api/options';
import { ErrorState } from '@/components/ui/error-state';
import { notifyDone, notifyError } from '@/components/ui/notify';
import { ago } from '@/lib/format';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-oidc';
import { oidcProblem } from '@/lib/oidc-text';

import { ProveForm } from './prove-form';

interface Props {
  /** How linking ended, where the browser has just come back from the provider. */
  result?: string | undefined;
}

/** Accounts at the provider that sign in to this one. Nothing where there is neither. */
export function ProviderSection({ result }: Props) {
  const name = useOptions().data?.oidc?.name;
  const identities = useQuery(identitiesQuery);
  const remove = useRemoveIdentity();
  const [linking, setLinking] = useState(false);
  if (identities.isError && !identities.data) {
    return <ErrorState error={identities.error} onRetry={() => void identities.refetch()} />;
  }
  if (!identities.data) return <Skeleton height={130} radius="lg" />;
  const items = identities.data.items;
  if (!name && items.length === 0) return null;
  const problem = oidcProblem(result);
  const close = () => {
    setLinking(false);
  };
  return (
    <section className="card" style={{ padding: 24 }}>
      <Title order={2}>{name ? t('oidc.title', { name }) : t('oidc.titlePlain')}</Title>
      <Text c="dimmed" size="sm" mb="md" mt={4}>
        {t('oidc.text')}
      </Text>
      {problem ? (
        <Alert color="red" variant="light" role="alert" mb="md">
          {problem}
        </Alert>
      ) : null}
      {result === 'linked' ? (
        <Alert color="iris" variant="light" role="status" mb="md">
          {t('oidc.linked')}
        </Alert>
      ) : null}
      {items.length > 0 ? (
        <Stack component="ul" gap="md" p={0} m={0} style={{ listStyle: 'none' }}>
          {items.map((one) => {
            const label = one.email || hostOf(one.issuer);
            return (
              <Group component="li" key={one.id} justify="space-between" wrap="nowrap" gap="sm">
                <div style={{ minWidth: 0 }}>
                  <Text fw={500} truncate>
                    {label}
                  </Text>
                  <Text size="sm" c="dimmed" truncate>
                    {hostOf(one.issuer)} · {t('oidc.since', { when: ago(one.created_at) })}
                  </Text>
                </div>
                <Button
                  variant="default"
                  size="xs"
                  aria-label={t('oidc.removeOf', { name: label })}
                  loading={remove.isPending && remove.variables === one.id}
                  onClick={() => {
                    remove.mutate(one.id, {
                      onSuccess: () => {
                        notifyDone(t('oidc.removed'));
                      },
                      onError: (error) => {
                        notifyError(error);
                      },
                    });
                  }}
                >
                  {t('oidc.remove')}
                </Button>
              </Group>
            );
          })}
        </Stack>
      ) : null}
      {name && items.length === 0 ? (
        <Button
          onClick={() => {
            setLinking(true);
          }}
        >
          {t('oidc.link', { name })}
        </Button>
      ) : null}
      <Modal
        opened={linking}
        onClose={close}
        title={t('oidc.title', { name: name ?? '' })}
        centered
      >
        <ProveForm
          withCode={false}
          text={t('oidc.linkText', { name: name ?? '' })}
          action={t('oidc.link', { name: name ?? '' })}
          onCancel={close}
          onSubmit={async (password) => {
            window.location.assign(await beginLink(password));
          }}
        />
      </Modal>
    </section>
  );
}

function hostOf(issuer: string): string {
  return URL.canParse(issuer) ? new URL(issuer).host : issuer;
}
