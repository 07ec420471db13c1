import { ActionIcon } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconKeyboard } from '@tabler/icons-react';
import { lazy, Suspense, useState, type ReactNode } from 'react';

import type { Peaks } from '@/api/types';
import { STORAGE } from '@/config/constants';
import { t } from '@/lib/i18n';
import { readJson, writeJson } from '@/lib/storage';

import { KeysHelp } from './keys-help';
import type { Player } from './player';
import { PlayerBar } from './player-bar';
import type { ReviewItem } from './review';
import { usePlayerKeys } from './use-player-keys';

// The text comes first; what draws the recording follows.
const Timeline = lazy(() => import('./timeline').then((part) => ({ default: part.Timeline })));

interface Props {
  player: Player;
  /** Shown instead of the controls while there is nothing to play. */
  message: ReactNode;
  peaks: Peaks | null;
  items: readonly ReviewItem[];
  onStep: (step: 1 | -1) => void;
}

/** The player at the bottom edge, with its keys. */
export function PlayerDock({ player, message, peaks, items, onStep }: Props) {
  const [help, helpControl] = useDisclosure(false);
  const [singleKeys, setSingleKeys] = useState(() => readJson<boolean>(STORAGE.keys, true));
  usePlayerKeys({ player, singleKeys, onHelp: helpControl.open, onStep });
  return (
    <>
      <PlayerBar
        player={player}
        message={message}
        timeline={
          <Suspense fallback={<div style={{ height: 48 }} />}>
            <Timeline player={player} peaks={peaks} items={items} />
          </Suspense>
        }
        help={
          <ActionIcon
            variant="subtle"
            color="gray"
            size={44}
            aria-label={t('keys.open')}
            visibleFrom="sm"
            onClick={helpControl.open}
          >
            <IconKeyboard size={22} />
          </ActionIcon>
        }
      />
      <KeysHelp
        opened={help}
        onClose={helpControl.close}
        singleKeys={singleKeys}
        onSingleKeys={(on) => {
          setSingleKeys(on);
          writeJson(STORAGE.keys, on);
        }}
      />
    </>
  );
}
