/** Look of the app, and the cures for Mantine defaults that fail WCAG AA. */

import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from '@mantine/core';

import { t } from '@/lib/i18n';

import { speakerVariables } from './speaker-colours';

const iris: MantineColorsTuple = [
  '#f2f1fe',
  '#e4e2fd',
  '#cbc7fb',
  '#b3adf9',
  '#9d95f6',
  '#837af2',
  '#675de6',
  '#574bd3',
  '#4a3fb5',
  '#3a318f',
];

const dark: MantineColorsTuple = [
  '#e6e8ef',
  '#c8cbd7',
  '#a6aabb',
  '#7f8396',
  '#3d4152',
  '#2d303e',
  '#1f222d',
  '#15171f',
  '#0f1117',
  '#090a0e',
];

export const theme = createTheme({
  primaryColor: 'iris',
  colors: { iris, dark },
  primaryShade: { light: 7, dark: 6 },
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  autoContrast: true,
  fontFamily:
    "Inter, ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif",
  headings: {
    fontWeight: '650',
    sizes: { h1: { fontSize: '1.625rem', lineHeight: '1.25' }, h2: { fontSize: '1.125rem' } },
  },
  // Plain objects instead of `Menu.extend(...)`: naming the components here would load them all up front.
  components: {
    // The placeholder that keeps initial focus is not a menu item and breaks role=menu.
    Menu: { defaultProps: { withInitialFocusPlaceholder: false, shadow: 'md' } },
    Modal: {
      defaultProps: {
        closeButtonProps: { 'aria-label': t('action.close') },
        centered: true,
        radius: 'lg',
      },
    },
    Notification: {
      defaultProps: { closeButtonProps: { 'aria-label': t('action.close') } },
    },
    PasswordInput: {
      defaultProps: {
        visibilityToggleButtonProps: { 'aria-label': t('field.showPassword'), tabIndex: 0 },
      },
    },
    // The list itself scrolls: a scroll area around it would need a tab stop of its own.
    Select: {
      defaultProps: {
        withScrollArea: false,
        styles: { options: { maxHeight: 300, overflowY: 'auto' } },
      },
    },
    Badge: {
      defaultProps: { variant: 'light', radius: 'sm' },
      styles: { root: { textTransform: 'none', fontWeight: 600, letterSpacing: 0 } },
    },
  },
});

const USED = ['iris', 'red', 'green', 'yellow', 'blue', 'gray', 'orange'] as const;

/** Light variants at AA contrast: the palest ground in light mode, a pale ink in dark mode. */
function lightVariants(scheme: 'light' | 'dark'): Record<string, string> {
  return Object.fromEntries(
    USED.flatMap((color) => {
      const ground = `--mantine-color-${color}-light`;
      const ink = `--mantine-color-${color}-light-color`;
      return scheme === 'light'
        ? [
            [ground, `var(--mantine-color-${color}-0)`],
            [ink, `color-mix(in srgb, var(--mantine-color-${color}-9) 68%, black)`],
          ]
        : [
            [ground, `color-mix(in srgb, var(--mantine-color-${color}-5) 15%, #191c25)`],
            [ink, `var(--mantine-color-${color}-2)`],
          ];
    }),
  );
}

/** White on red at AA contrast, in both schemes. */
const RED_BUTTON = {
  '--mantine-color-red-filled': 'var(--mantine-color-red-9)',
  '--mantine-color-red-filled-hover': '#ab2323',
};

export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-dimmed': '#565c68',
    '--mantine-color-placeholder': '#626875',
    '--mantine-color-error': '#c01f1f',
    '--mantine-color-anchor': 'var(--mantine-color-iris-7)',
    '--app-ground': '#f7f7fa',
    '--app-card': '#ffffff',
    '--app-line': '#e3e4ec',
    '--app-track': '#d5d7e2',
    '--app-active': 'var(--mantine-color-iris-0)',
    '--app-word': '#cdc8fb',
    '--app-wave': '#a9adbd',
    '--app-wave-played': 'var(--mantine-color-iris-7)',
    '--app-gap': '#ffe3cf',
    '--app-gap-edge': '#c2410c',
    '--app-gap-ink': '#a33a06',
    '--app-flag': '#b7791f',
    '--app-flag-ink': '#7a4a06',
    ...speakerVariables('light'),
    ...RED_BUTTON,
    ...lightVariants('light'),
  },
  dark: {
    '--mantine-color-dimmed': '#a6aabb',
    '--mantine-color-placeholder': '#9498a9',
    '--mantine-color-error': '#ff9c9c',
    '--mantine-color-anchor': 'var(--mantine-color-iris-3)',
    '--app-ground': '#101218',
    '--app-card': '#191c25',
    '--app-line': '#2a2d3a',
    '--app-track': '#3d4152',
    '--app-active': '#262545',
    '--app-word': '#574bd3',
    '--app-wave': '#565b70',
    '--app-wave-played': 'var(--mantine-color-iris-4)',
    '--app-gap': '#4a2412',
    '--app-gap-edge': '#fb923c',
    '--app-gap-ink': '#ffb27d',
    '--app-flag': '#f5c451',
    '--app-flag-ink': '#f3cf7a',
    ...speakerVariables('dark'),
    ...RED_BUTTON,
    ...lightVariants('dark'),
  },
});
