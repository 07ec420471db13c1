import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import jsxA11y from 'eslint-plugin-jsx-a11y';
import reactHooks from 'eslint-plugin-react-hooks';
import globals from 'globals';
import tseslint from 'typescript-eslint';

/** Imports point down: app -> features -> components/ui, hooks, api -> lib, config. */
const forbid = (files, groups) => ({
  files,
  rules: {
    'no-restricted-imports': [
      'error',
      { patterns: groups.map(([group, message]) => ({ group, message })) },
    ],
  },
});

export default tseslint.config(
  { ignores: ['dist', 'coverage', 'e2e', 'src/api/schema.gen.ts'] },
  js.configs.recommended,
  ...tseslint.configs.strict,
  reactHooks.configs.flat.recommended,
  jsxA11y.flatConfigs.recommended,
  {
    languageOptions: { globals: { ...globals.browser } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      'max-lines': ['error', { max: 350 }],
      'no-console': 'error',
    },
  },
  { files: ['*.config.{js,ts}'], languageOptions: { globals: { ...globals.node } } },
  forbid(
    ['src/features/**'],
    [
      [['@/app', '@/app/**'], 'A feature never imports the app.'],
      [['@/features/**'], 'A feature never imports a feature; its own files are relative.'],
      [['../**'], 'A feature is one flat folder: reach other floors through @/.'],
    ],
  ),
  forbid(
    ['src/components/**', 'src/hooks/**', 'src/api/**'],
    [[['@/app', '@/app/**', '@/features/**', '../**'], 'Imports point down only.']],
  ),
  forbid(
    ['src/lib/**', 'src/config/**'],
    [
      [
        ['@/app', '@/app/**', '@/features/**', '@/components/**', '@/hooks/**', '@/api/**'],
        'lib and config are the ground floor.',
      ],
    ],
  ),
  {
    // Tests may reach the shared fakes, and assert what the code under test only promises.
    files: ['src/**/*.test.{ts,tsx}', 'src/testing/**'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  prettier,
);
