/** Names of everything in the query cache. */

import type { DeliveryState } from './types';

export interface JobFilter {
  tab: JobTab;
  q: string;
}

/** The tabs of the list of jobs, in the order in which they stand. */
export const JOB_TABS = ['all', 'running', 'completed', 'failed', 'cancelled'] as const;

export type JobTab = (typeof JOB_TABS)[number];

export const keys = {
  options: ['options'] as const,
  lists: ['jobs'] as const,
  list: (filter: JobFilter) => ['jobs', 'list', filter] as const,
  recent: ['jobs', 'recent'] as const,
  job: (id: string) => ['job', id] as const,
  history: (id: string) => ['job', id, 'history'] as const,
  count: (filter: JobFilter) => ['job-count', filter] as const,
  result: (id: string) => ['job', id, 'result'] as const,
  peaks: (fileId: string, jobActive: boolean) => ['peaks', fileId, jobActive] as const,
  models: ['admin', 'models'] as const,
  workspaceSettings: (id: string) => ['workspace', id, 'settings'] as const,
  usage: (id: string, month: string) => ['workspace', id, 'usage', month] as const,
  audit: (id: string) => ['workspace', id, 'audit'] as const,
  shareLinks: (jobId: string) => ['job', jobId, 'shares'] as const,
  grants: (jobId: string) => ['job', jobId, 'grants'] as const,
  sharedWithMe: ['shared-with-me'] as const,
  shared: (base: string) => ['shared', base] as const,
  status: ['admin', 'status'] as const,
  ready: ['admin', 'ready'] as const,
  managedWorkspaces: (q: string) => ['admin', 'workspaces', q] as const,
  resetLink: (token: string) => ['account', 'reset', token] as const,
  factor: ['account', 'factor'] as const,
  devices: ['account', 'devices'] as const,
  identities: ['account', 'identities'] as const,
  members: (workspace: string) => ['workspace', workspace, 'members'] as const,
  invitations: (workspace: string) => ['workspace', workspace, 'invitations'] as const,
  webhooks: (workspace: string) => ['workspace', workspace, 'webhooks'] as const,
  webhook: (id: string) => ['webhook', id] as const,
  deliveries: (webhook: string, state: DeliveryState | null) =>
    ['webhook', webhook, 'deliveries', state] as const,
  delivery: (webhook: string, id: string) => ['webhook', webhook, 'delivery', id] as const,
  apiKeys: (workspace: string) => ['workspace', workspace, 'api-keys'] as const,
  invitation: (token: string) => ['invitation', token] as const,
  media: (fileId: string) => ['media', fileId] as const,
};
