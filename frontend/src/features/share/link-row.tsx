import { Badge, Button, Group, Text } from '@mantine/core';

import type { ShareLink } from '@/api/types';
import { useNow } from '@/hooks/use-now';
import { ago, fullDate } from '@/lib/format';
import { t } from '@/lib/i18n';
import '@/lib/i18n/en-share';

interface Props {
  link: ShareLink;
  onChange: () => void;
  onRevoke: () => void;
}

export function LinkRow({ link, onChange, onRevoke }: Props) {
  const now = useNow();
  const when = fullDate(link.created_at);
  const used = link.last_used_at
    ? t('share.usedAt', { when: ago(link.last_used_at, now) })
    : t('share.neverUsed');
  return (
    <Group component="li" justify="space-between" gap="xs">
      <div style={{ flex: '1 1 220px', minWidth: 0 }}>
        <Text size="sm">
          {t('share.madeOn', { when })}, {used}
        </Text>
        <Group gap={6} mt={4}>
          {link.has_password ? <Badge color="gray">{t('share.withPassword')}</Badge> : null}
          {link.allow_download ? <Badge color="gray">{t('share.withDownload')}</Badge> : null}
          {link.expires_at ? <End at={link.expires_at} now={now} /> : null}
        </Group>
      </div>
      <Group gap="xs" wrap="nowrap">
        <Button
          variant="default"
          size="xs"
          aria-label={t('share.changeOf', { when })}
          onClick={onChange}
        >
          {t('share.change')}
        </Button>
        <Button
          variant="light"
          color="red"
          size="xs"
          aria-label={t('share.revokeOf', { when })}
          onClick={onRevoke}
        >
          {t('share.revoke')}
        </Button>
      </Group>
    </Group>
  );
}

function End({ at, now }: { at: string; now: number }) {
  const over = Date.parse(at) <= now;
  return (
    <Badge color={over ? 'red' : 'gray'}>
      {t(over ? 'share.ended' : 'share.until', { when: fullDate(at) })}
    </Badge>
  );
}
