import { Divider, Stack } from '@mantine/core';

import { GrantsPart } from './grants-part';
import { LinksPart } from './links-part';

export function ShareDialog({ jobId }: { jobId: string }) {
  return (
    <Stack gap="lg">
      <LinksPart jobId={jobId} />
      <Divider />
      <GrantsPart jobId={jobId} />
    </Stack>
  );
}
