import { Button } from '@mantine/core';
import { useEffect, useRef, useState, type ReactNode } from 'react';

import { useStore } from '@/hooks/use-store';
import { t } from '@/lib/i18n';

import type { Player } from './player';
import classes from './transcript.module.css';

/** A renewal that does not help is not tried again at once. */
const RENEW_PAUSE_MS = 10_000;

/** Where to play from, as far as it is known; asked again when an address has expired. */
export interface MediaQuery {
  data:
    | { url: string; content_type?: string | null; rendition?: string | null; gone?: boolean }
    | undefined;
  isError: boolean;
  refetch: () => Promise<unknown>;
}

interface MediaView {
  element: ReactNode;
  message: ReactNode;
}

/** The media element, its short-lived URL, and what to say while it cannot play. */
export function useMedia(player: Player, query: MediaQuery, textWorks: boolean): MediaView {
  const { failed, hasPicture, ready } = useStore(player.state);
  const renewedAt = useRef(0);
  const [gaveUp, setGaveUp] = useState(false);
  const { data, refetch } = query;
  const playable =
    data && !data.gone && data.rendition !== 'pending' && data.rendition !== 'failed';

  useEffect(() => {
    if (!failed || !playable) return;
    // Most likely the URL has expired: ask for a new one, and keep the place.
    if (Date.now() - renewedAt.current < RENEW_PAUSE_MS) {
      setGaveUp(true);
      return;
    }
    renewedAt.current = Date.now();
    player.keepPlace();
    void refetch();
  }, [failed, playable, player, refetch]);

  const again = () => {
    renewedAt.current = Date.now();
    setGaveUp(false);
    player.keepPlace();
    void refetch();
  };

  const but = (text: string) => (textWorks ? `${text} ${t('player.textWorks')}` : text);
  const source = playable && !gaveUp ? data.url : undefined;
  const audio = data?.content_type?.startsWith('audio/');
  const shared = { ref: player.attach, src: source, preload: 'metadata' as const };
  // Captions: the transcript stands beside it and follows the playback.
  const element = !source ? null : audio ? (
    // eslint-disable-next-line jsx-a11y/media-has-caption
    <audio {...shared} />
  ) : (
    // eslint-disable-next-line jsx-a11y/media-has-caption
    <video {...shared} playsInline className={classes.video} hidden={!hasPicture} />
  );
  return { element, message: message() };

  function message(): ReactNode {
    if (query.isError) return <Retry text={t('player.failed')} onRetry={again} />;
    if (!data) return t('player.loading');
    if (data.gone) return t(textWorks ? 'player.gone' : 'player.none');
    if (data.rendition === 'pending') return t('player.pending');
    // Not for want of a browser: the server found nothing in the file that any of them could play.
    if (data.rendition === 'failed') return but(t('player.noSound'));
    if (gaveUp) return <Retry text={but(t('player.unplayable'))} onRetry={again} />;
    return ready ? null : t('player.loading');
  }
}

function Retry({ text, onRetry }: { text: string; onRetry: () => void }) {
  return (
    <>
      {text}
      <Button variant="light" size="xs" onClick={onRetry}>
        {t('action.retry')}
      </Button>
    </>
  );
}
