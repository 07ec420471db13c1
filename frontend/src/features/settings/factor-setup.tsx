import { Button, Group, PasswordInput, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { useState, type ReactNode, type SubmitEvent } from 'react';

import { enableFactor, setUpFactor } from '@/api/account';
import { CopyButton } from '@/components/ui/copy-button';
import { fieldError } from '@/components/ui/field-error';
import { SecretBox } from '@/components/ui/secret-box';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-account';

import { QrCode } from './qr-code';

interface Props {
  onDone: () => void;
}

/** Password, then the QR code and a first code of the app, then the backup codes. */
export function FactorSetup({ onDone }: Props) {
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const [setup, setSetup] = useState<{ secret: string; otpauth_url: string } | null>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  const [error, setError] = useState<ReactNode>(null);
  const [busy, setBusy] = useState(false);

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      if (setup) setCodes((await enableFactor(code.trim())).backup_codes);
      else setSetup(await setUpFactor(password));
    } catch (failure) {
      setError(fieldError(failure));
    } finally {
      setBusy(false);
    }
  };

  if (codes) return <BackupCodes codes={codes} onDone={onDone} />;
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack>
        {setup ? (
          <>
            <Text size="sm">{t('factor.scan')}</Text>
            <QrCode text={setup.otpauth_url} />
            <Button component="a" href={setup.otpauth_url} variant="light">
              {t('factor.openApp')}
            </Button>
            <div>
              <Textarea
                label={t('factor.key')}
                value={setup.secret}
                readOnly
                autosize
                size="md"
                mb="xs"
                styles={{ input: { wordBreak: 'break-all' } }}
              />
              <CopyButton value={setup.secret} label={t('factor.copyKey')} />
            </div>
            <TextInput
              label={t('factor.code')}
              autoComplete="one-time-code"
              inputMode="numeric"
              size="md"
              data-autofocus
              value={code}
              error={error}
              onChange={(event) => {
                setCode(event.currentTarget.value);
              }}
            />
          </>
        ) : (
          <PasswordInput
            label={t('field.password')}
            description={t('factor.passwordFirst')}
            autoComplete="current-password"
            size="md"
            data-autofocus
            value={password}
            error={error}
            onChange={(event) => {
              setPassword(event.currentTarget.value);
            }}
          />
        )}
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={onDone}>
            {t('action.cancel')}
          </Button>
          <Button type="submit" loading={busy} disabled={setup ? !code.trim() : !password}>
            {setup ? t('factor.enable') : t('factor.next')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

export function BackupCodes({ codes, onDone }: { codes: string[]; onDone: () => void }) {
  return (
    <Stack>
      <Text size="sm">{t('factor.codesText')}</Text>
      <SecretBox value={codes.join('\n')} label={t('factor.copyAll')} />
      <Group justify="flex-end">
        <Button onClick={onDone}>{t('factor.kept')}</Button>
      </Group>
    </Stack>
  );
}
