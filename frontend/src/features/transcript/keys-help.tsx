import { Group, Kbd, Modal, Stack, Switch, Text } from '@mantine/core';

import { useInertPage } from '@/hooks/use-inert-page';
import { t, type Key } from '@/lib/i18n';

import classes from './keys-help.module.css';

const ROWS: readonly [Extract<Key, `keys.${string}`>, readonly string[]][] = [
  ['keys.playPause', ['Space', 'Alt + K']],
  ['keys.back', ['←', 'Alt + J']],
  ['keys.forward', ['→', 'Alt + L']],
  ['keys.slower', ['Alt + −']],
  ['keys.faster', ['Alt + =']],
  ['keys.nextReview', ['N', 'Alt + N']],
  ['keys.previousReview', ['P', 'Alt + P']],
  ['keys.help', ['?']],
];

interface Props {
  opened: boolean;
  onClose: () => void;
  singleKeys: boolean;
  onSingleKeys: (on: boolean) => void;
}

export function KeysHelp({ opened, onClose, singleKeys, onSingleKeys }: Props) {
  useInertPage(opened);
  return (
    <Modal opened={opened} onClose={onClose} title={t('keys.title')}>
      <Stack>
        <dl className={classes.list}>
          {ROWS.map(([name, combos]) => (
            <div key={name} className={classes.row}>
              <dt>
                <Text>{t(name as 'keys.help')}</Text>
              </dt>
              <dd>
                <Group gap={6}>
                  {combos.map((combo) => (
                    <Kbd key={combo}>{combo}</Kbd>
                  ))}
                </Group>
              </dd>
            </div>
          ))}
        </dl>
        <Switch
          label={t('keys.singleKeys')}
          description={t('keys.singleKeysHint')}
          checked={singleKeys}
          onChange={(event) => {
            onSingleKeys(event.currentTarget.checked);
          }}
        />
      </Stack>
    </Modal>
  );
}
