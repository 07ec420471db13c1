import { ActionIcon, Button, Menu } from '@mantine/core';
import {
  IconPlayerPauseFilled,
  IconPlayerPlayFilled,
  IconRewindBackward5,
  IconRewindForward5,
} from '@tabler/icons-react';
import { useEffect, useRef, type ReactNode } from 'react';

import { useStore } from '@/hooks/use-store';
import { clock } from '@/lib/format';
import { t } from '@/lib/i18n';

import { RATES, type Player } from './player';
import classes from './transcript.module.css';

interface Props {
  player: Player;
  /** Shown instead of the controls while there is nothing to play. */
  message: ReactNode;
  timeline: ReactNode;
  help: ReactNode;
}

export function PlayerBar({ player, message, timeline, help }: Props) {
  const { playing, ready } = useStore(player.state);
  return (
    <section className={classes.dock} aria-label={t('player.label')}>
      <div className={classes.dockInner}>
        {message ? (
          <div className={classes.message} role="status">
            {message}
          </div>
        ) : (
          <>
            {timeline}
            <div className={classes.controls}>
              <TimeLabel player={player} />
              <ActionIcon
                variant="subtle"
                color="gray"
                size={44}
                aria-label={t('player.back')}
                disabled={!ready}
                onClick={() => {
                  player.skip(-5000);
                }}
              >
                <IconRewindBackward5 size={24} />
              </ActionIcon>
              <ActionIcon
                size={52}
                radius="xl"
                variant="filled"
                aria-label={playing ? t('player.pause') : t('player.play')}
                disabled={!ready}
                onClick={() => {
                  player.toggle();
                }}
              >
                {playing ? <IconPlayerPauseFilled size={24} /> : <IconPlayerPlayFilled size={24} />}
              </ActionIcon>
              <ActionIcon
                variant="subtle"
                color="gray"
                size={44}
                aria-label={t('player.forward')}
                disabled={!ready}
                onClick={() => {
                  player.skip(5000);
                }}
              >
                <IconRewindForward5 size={24} />
              </ActionIcon>
              <div className={classes.right}>
                <RateMenu player={player} />
                {help}
              </div>
            </div>
          </>
        )}
      </div>
    </section>
  );
}

function TimeLabel({ player }: { player: Player }) {
  const { durationMs } = useStore(player.state);
  const label = useRef<HTMLSpanElement>(null);
  useEffect(
    () =>
      player.onTick((ms) => {
        const text = clock(ms);
        if (label.current && label.current.textContent !== text) label.current.textContent = text;
      }),
    [player],
  );
  return (
    <div className={`tabular ${classes.left ?? ''}`}>
      <span ref={label}>0:00</span>
      <span>&nbsp;/ {clock(durationMs)}</span>
    </div>
  );
}

function RateMenu({ player }: { player: Player }) {
  const { rate } = useStore(player.state);
  const shown = `${String(rate)}×`;
  return (
    <Menu position="top-end" width={120}>
      <Menu.Target>
        <Button
          variant="subtle"
          color="gray"
          h={44}
          miw={44}
          px={8}
          className="tabular"
          aria-label={t('player.rate', { rate: shown })}
        >
          {shown}
        </Button>
      </Menu.Target>
      <Menu.Dropdown aria-label={t('player.rate', { rate: shown })}>
        <Menu.RadioGroup
          value={String(rate)}
          onChange={(value) => {
            player.setRate(Number(value));
          }}
        >
          {RATES.map((value) => (
            <Menu.RadioItem key={value} value={String(value)} closeMenuOnClick>
              {`${String(value)}×`}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
      </Menu.Dropdown>
    </Menu>
  );
}
