/** Colours of speakers, as text and as dots: 4.5:1 or more on every ground of the transcript (see the test). */

const COLOURS = {
  light: ['#4a3fb5', '#0b6b4f', '#a3341f', '#0a5f8f', '#8a3a8f', '#6b5300', '#3d5a1e', '#9b2c5a'],
  dark: ['#b3adf9', '#5fd3a8', '#ff9f8a', '#7cc7f2', '#e29ae6', '#e3c55a', '#a9d07a', '#ff9cc0'],
} as const;

/** The CSS variables `--app-speaker-0` and on. */
export function speakerVariables(scheme: 'light' | 'dark'): Record<string, string> {
  return Object.fromEntries(
    COLOURS[scheme].map((colour, index) => [`--app-speaker-${String(index)}`, colour]),
  );
}
