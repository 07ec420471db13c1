import { useMemo } from 'react';
import { encode } from 'uqr';

import { t } from '@/lib/i18n';
import '@/lib/i18n/en-account';

const QUIET = 2;

/** Dark on white in either theme: scanners need it so. */
export function QrCode({ text }: { text: string }) {
  const { data, size } = useMemo(() => encode(text, { ecc: 'M', border: QUIET }), [text]);
  const path = data
    .flatMap((row, y) => row.map((dark, x) => (dark ? `M${String(x)} ${String(y)}h1v1h-1z` : '')))
    .join('');
  return (
    <svg
      viewBox={`0 0 ${String(size)} ${String(size)}`}
      width={208}
      height={208}
      role="img"
      aria-label={t('factor.qr')}
      shapeRendering="crispEdges"
      style={{ background: 'white', borderRadius: 8 }}
    >
      <path d={path} fill="black" />
    </svg>
  );
}
