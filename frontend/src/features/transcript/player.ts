/** The playhead. A media element with listeners; its time never passes through React state. */

import { STORAGE } from '@/config/constants';
import { readJson, writeJson } from '@/lib/storage';
import { Store } from '@/lib/store';

export interface PlayerState {
  playing: boolean;
  ready: boolean;
  failed: boolean;
  durationMs: number;
  rate: number;
  hasPicture: boolean;
}

export const RATES = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.5, 3] as const;

type Tick = (ms: number) => void;

export class Player {
  readonly state = new Store<PlayerState>({
    playing: false,
    ready: false,
    failed: false,
    durationMs: 0,
    rate: readJson<{ rate: number }>(STORAGE.player, { rate: 1 }).rate,
    hasPicture: false,
  });
  private media: HTMLMediaElement | null = null;
  private readonly ticks = new Set<Tick>();
  private readonly shows = new Set<Tick>();
  private frame = 0;
  /** Where to go once the media can seek; also keeps the place over a renewed URL. */
  private wanted: { ms: number; play: boolean } | null = null;
  private listening: AbortController | null = null;

  /** Ref callback of the media element. */
  readonly attach = (media: HTMLMediaElement | null): void => {
    this.listening?.abort();
    cancelAnimationFrame(this.frame);
    this.media = media;
    if (!media) {
      this.patch({ playing: false, ready: false });
      return;
    }
    this.listening = new AbortController();
    const { signal } = this.listening;
    const on = (type: string, act: () => void) => {
      media.addEventListener(type, act, { signal });
    };
    on('loadedmetadata', () => {
      this.onMetadata(media);
    });
    on('durationchange', () => {
      this.readDuration(media);
    });
    on('play', () => {
      this.patch({ playing: true });
      this.loop();
    });
    on('pause', () => {
      this.patch({ playing: false });
    });
    on('seeked', () => {
      this.tick();
    });
    on('timeupdate', () => {
      // A hidden page gets no animation frames.
      if (document.hidden) this.tick();
    });
    on('error', () => {
      if (media.error) this.patch({ failed: true, ready: false, playing: false });
    });
  };

  /** Remembers the place before the source is exchanged. */
  keepPlace(): void {
    this.wanted = { ms: this.nowMs, play: this.state.get().playing };
    this.patch({ failed: false, ready: false });
  }

  get nowMs(): number {
    return (this.wanted?.ms ?? (this.media?.currentTime ?? 0) * 1000) || 0;
  }

  onTick(listener: Tick): () => void {
    this.ticks.add(listener);
    listener(this.nowMs);
    return () => this.ticks.delete(listener);
  }

  /** Told when something outside the text asks to see a place in it. */
  onShow(listener: Tick): () => void {
    this.shows.add(listener);
    return () => this.shows.delete(listener);
  }

  /** Goes to a place and brings its text into view. */
  show(ms: number): void {
    this.seek(ms);
    for (const listener of this.shows) listener(ms);
  }

  toggle(): void {
    if (this.media?.paused) this.play();
    else this.media?.pause();
  }

  seek(ms: number, play = false): void {
    const { durationMs, ready } = this.state.get();
    const target = Math.max(0, durationMs ? Math.min(ms, durationMs) : ms);
    if (this.media && ready) this.media.currentTime = target / 1000;
    else this.wanted = { ms: target, play };
    this.tick(target);
    if (play && ready) this.play();
  }

  skip(deltaMs: number): void {
    this.seek(this.nowMs + deltaMs);
  }

  setRate(rate: number): void {
    if (this.media) this.media.playbackRate = rate;
    this.patch({ rate });
    writeJson(STORAGE.player, { rate });
  }

  stepRate(step: 1 | -1): void {
    const at = RATES.findIndex((rate) => rate >= this.state.get().rate);
    const next = RATES[Math.min(RATES.length - 1, Math.max(0, at + step))];
    if (next) this.setRate(next);
  }

  private play(): void {
    // Refused before a gesture of the user: the button still shows Play.
    void this.media?.play().catch(() => undefined);
  }

  private onMetadata(media: HTMLMediaElement): void {
    media.playbackRate = this.state.get().rate;
    this.patch({
      ready: true,
      failed: false,
      hasPicture: media instanceof HTMLVideoElement && media.videoWidth > 0,
    });
    this.readDuration(media);
    const { wanted } = this;
    this.wanted = null;
    if (wanted && wanted.ms > 0) media.currentTime = wanted.ms / 1000;
    if (wanted?.play) this.play();
  }

  private readDuration(media: HTMLMediaElement): void {
    // Streams without an index report Infinity.
    const ms = Number.isFinite(media.duration) ? media.duration * 1000 : 0;
    this.patch({ durationMs: ms });
  }

  private patch(change: Partial<PlayerState>): void {
    this.state.update((state) => ({ ...state, ...change }));
  }

  private tick(ms = this.nowMs): void {
    for (const listener of this.ticks) listener(ms);
  }

  private readonly loop = (): void => {
    cancelAnimationFrame(this.frame);
    this.tick();
    if (this.state.get().playing) this.frame = requestAnimationFrame(this.loop);
  };
}
