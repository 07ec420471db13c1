import { describe, expect, it } from 'vitest';

import { COLOURS } from '@/features/transcript/speakers';

import { speakerVariables } from './speaker-colours';

/** Relative luminance of WCAG 2. */
function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const share = parseInt(hex.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(a: string, b: string): number {
  const [high = 0, low = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

/** Page, card, row that is being spoken, hover. */
const GROUNDS = {
  light: ['#f7f7fa', '#ffffff', '#f2f1fe', '#e3e4ec'],
  dark: ['#101218', '#191c25', '#262545', '#2a2d3a'],
};

describe.each(['light', 'dark'] as const)('colours of speakers, %s', (scheme) => {
  const colours = Object.values(speakerVariables(scheme));

  it('are as many as the labels count on, and all different', () => {
    expect(new Set(colours).size).toBe(COLOURS);
  });

  it.each(colours)('%s is readable on every ground', (colour) => {
    for (const ground of GROUNDS[scheme]) {
      expect(contrast(colour, ground)).toBeGreaterThanOrEqual(4.5);
    }
  });
});
