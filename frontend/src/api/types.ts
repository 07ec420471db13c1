/** Short names for the generated schemas. */

import type { components, paths } from './schema.gen';

type Schemas = components['schemas'];

export type Job = Schemas['Job'];
export type JobPage = Schemas['JobPage'];
export type JobCreate = Schemas['JobCreate'];
export type JobRetry = Schemas['JobRetry'];
export type JobStatus = Job['status'];
export type TranscriptResult = Omit<Schemas['TranscriptResult'], 'previous'> & {
  /** The text of an earlier run, while or because a later one has none. */
  previous?: boolean;
};
export type BulkAction = Schemas['BulkRequest']['action'];
export type BulkItem = Schemas['BulkItem'];
export type HistoryItem = Schemas['HistoryItem'];
export type HistoryPage = Schemas['HistoryPage'];
export type Segment = Schemas['Segment'];
export type Word = Schemas['Word'];

// These are read from the operations, which are the contract; schema names are not.
type Json<T> = T extends { content: { 'application/json': infer Body } } ? Body : never;

export type TokenResponse = Json<paths['/api/auth/login']['post']['responses'][200]>;
export type UserMe = TokenResponse['user'];
export type UserWorkspace = UserMe['workspaces'][number];
export type RegisterRequest = Json<NonNullable<paths['/api/auth/register']['post']['requestBody']>>;
export type PresignResponse = Json<paths['/api/files/presign']['post']['responses'][201]>;
export type UploadParts = Json<
  paths['/api/files/uploads/{upload_id}/parts']['get']['responses'][200]
>;
export type MediaFile = Json<paths['/api/files/complete']['post']['responses'][200]>;
export type FileUrl = Json<paths['/api/files/{file_id}/url']['get']['responses'][200]>;
export type Options = Json<paths['/api/options']['get']['responses'][200]>;

export type EngineOption = Options['engines'][number];
export type Gap = Schemas['Gap'];
export type Speaker = Schemas['Speaker'];

export type Peaks = Schemas['Peaks'];

/** How many speak, where it is known; both null: the server finds out. */
export type SpeakerCount = Schemas['SpeakersRetry'];
export type WorkspaceSettings = Schemas['WorkspaceSettings'];
export type Workspace = Schemas['Workspace'];
export type Usage = Schemas['Usage'];
export type AuditEntry = Schemas['AuditEntry'];
export type ShareLink = Schemas['ShareLink'];
export type ShareCreate = Schemas['ShareCreate'];
export type SharePatch = Schemas['SharePatch'];
export type Grant = Schemas['Grant'];
export type Permission = Grant['permission'];
export type SharedPage = Schemas['SharedPage'];
export type SharedItem = Schemas['SharedItem'];
export type SharedJob = Schemas['SharedJob'];
export type SharedMedia = Schemas['SharedMedia'];
export type ManagedWorkspace = Schemas['ManagedWorkspace'];
export type Quotas = Schemas['Quotas'];
export type Ready = Schemas['Ready'];
export type ServerStatus = Schemas['Status'];
export type Role = Schemas['Role'];
export type Scope = Schemas['Scope'];
export type Member = Schemas['Member'];
export type Webhook = Schemas['Webhook'];
export type WebhookEvent = Schemas['WebhookEvent'];
export type Delivery = Schemas['Delivery'];
export type DeliveryState = Schemas['DeliveryState'];
export type DeliveryAttempt = Schemas['DeliveryAttempt'];
export type ApiKey = Schemas['ApiKey'];
export type OpenSession = Schemas['OpenSession'];
export type ManagedModel = Schemas['ManagedModel'];
export type ManagedModels = Schemas['ManagedModels'];

/** Payloads of the event streams, which OpenAPI does not describe. */
export interface ProgressEvent {
  job_id: string;
  progress: number;
  stage: Job['stage'];
  eta_seconds: number | null;
}

export interface SegmentsEvent {
  job_id: string;
  window: number;
  segments: Segment[];
}

export interface EndEvent {
  job_id: string;
  status: JobStatus;
}

/** Of the stream of a list only. */
export interface RemovedEvent {
  job_id: string;
}

export function isActive(job: Pick<Job, 'status'>): boolean {
  return job.status === 'pending' || job.status === 'processing';
}
