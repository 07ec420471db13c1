import { useEffect } from 'react';

import type { Player } from './player';

const FIELDS = 'input:not([type=range]), textarea, select, [contenteditable], [role=combobox]';
/** Elements that use Space and the arrows themselves. */
const CONTROLS = 'button, a, [role=menu], [role=dialog], [role=option], input[type=range]';

interface Options {
  player: Player;
  /** Whether Space, arrows and ? work without Alt. */
  singleKeys: boolean;
  onHelp: () => void;
  /** To the next or previous place to check. */
  onStep: (step: 1 | -1) => void;
}

export function usePlayerKeys({ player, singleKeys, onHelp, onStep }: Options): void {
  useEffect(() => {
    const withAlt: Record<string, () => void> = {
      KeyK: () => {
        player.toggle();
      },
      KeyJ: () => {
        player.skip(-5000);
      },
      KeyL: () => {
        player.skip(5000);
      },
      Minus: () => {
        player.stepRate(-1);
      },
      Equal: () => {
        player.stepRate(1);
      },
      KeyN: () => {
        onStep(1);
      },
      KeyP: () => {
        onStep(-1);
      },
    };
    const single: Record<string, () => void> = {
      ' ': () => {
        player.toggle();
      },
      ArrowLeft: () => {
        player.skip(-5000);
      },
      ArrowRight: () => {
        player.skip(5000);
      },
      n: () => {
        onStep(1);
      },
      p: () => {
        onStep(-1);
      },
      '?': onHelp,
    };
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented) return;
      const target = event.target instanceof Element ? event.target : null;
      let act: (() => void) | undefined;
      // By place on the keyboard: Alt changes the letter on a Mac.
      if (event.altKey && !event.ctrlKey && !event.metaKey) act = withAlt[event.code];
      else if (event.ctrlKey && event.key === ' ') act = single[' '];
      else if (singleKeys && !event.ctrlKey && !event.metaKey && !target?.closest(FIELDS)) {
        if (event.key === '?' || !target?.closest(CONTROLS)) act = single[event.key];
      }
      if (!act) return;
      event.preventDefault();
      act();
    };
    addEventListener('keydown', onKey);
    return () => {
      removeEventListener('keydown', onKey);
    };
  }, [player, singleKeys, onHelp, onStep]);
}
