import { fileURLToPath } from 'node:url';

import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

const backend = process.env.VITE_BACKEND ?? 'http://127.0.0.1:8000';
// changeOrigin stays off: the server builds absolute upload URLs from the Host header.
const proxy = Object.fromEntries(
  ['/api', '/ws', '/health', '/ready', '/version'].map((path) => [
    path,
    { target: backend, changeOrigin: false, ws: path === '/ws' },
  ]),
);

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  server: { port: 5173, proxy },
  preview: { port: 4173, proxy },
  build: {
    target: 'es2022',
    // No data: URLs for scripts and fonts, so that a strict CSP holds.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  test: {
    environment: 'jsdom',
    pool: 'threads',
    include: ['src/**/*.test.{ts,tsx}'],
    setupFiles: ['src/testing/setup.ts'],
    css: false,
    restoreMocks: true,
    testTimeout: 60_000,
  },
});
