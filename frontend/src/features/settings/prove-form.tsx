import { Button, Group, PasswordInput, Stack, Text, TextInput } from '@mantine/core';
import { useState, type ReactNode, type SubmitEvent } from 'react';

import { fieldError } from '@/components/ui/field-error';
import { ApiError } from '@/lib/errors';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-account';

interface Props {
  text?: string;
  action: string;
  danger?: boolean;
  withCode: boolean;
  onSubmit: (password: string, code: string) => Promise<void>;
  onCancel: () => void;
}

/** Password, and a code where there is a second factor, before something that matters. */
export function ProveForm({ text, action, danger, withCode, onSubmit, onCancel }: Props) {
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const [refusal, setRefusal] = useState<{ field: string; text: ReactNode } | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setRefusal(null);
    try {
      await onSubmit(password, code.trim());
    } catch (failure) {
      const field = failure instanceof ApiError ? (failure.field ?? 'password') : 'password';
      setRefusal({
        field: withCode && field === 'code' ? 'code' : 'password',
        text: fieldError(failure),
      });
    } finally {
      setBusy(false);
    }
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack>
        {text ? <Text>{text}</Text> : null}
        <PasswordInput
          label={t('field.password')}
          autoComplete="current-password"
          size="md"
          data-autofocus
          value={password}
          error={refusal?.field === 'password' ? refusal.text : null}
          onChange={(event) => {
            setPassword(event.currentTarget.value);
          }}
        />
        {withCode ? (
          <TextInput
            label={t('factor.code')}
            description={t('factor.codeHint')}
            autoComplete="one-time-code"
            size="md"
            value={code}
            error={refusal?.field === 'code' ? refusal.text : null}
            onChange={(event) => {
              setCode(event.currentTarget.value);
            }}
          />
        ) : null}
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={onCancel}>
            {t('action.cancel')}
          </Button>
          <Button
            type="submit"
            color={danger ? 'red' : undefined}
            loading={busy}
            disabled={!password || (withCode && !code.trim())}
          >
            {action}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
