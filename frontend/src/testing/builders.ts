/** One builder per noun, with defaults that a test overrides. */

import type {
  EngineOption,
  Job,
  ManagedModel,
  Options,
  Segment,
  TokenResponse,
  TranscriptResult,
} from '@/api/types';

export function aJob(change: Partial<Job> = {}): Job {
  return {
    id: 'job-1',
    file_id: 'file-1',
    transcript_id: null,
    filename: 'meeting.m4a',
    status: 'completed',
    stage: null,
    progress: 1,
    eta_seconds: null,
    language: 'en',
    mode: 'mono',
    vad: 'auto',
    engine: 'whisper_cpp',
    model: 'base-q8_0',
    requested_engine: null,
    requested_model: null,
    requested_language: 'auto',
    translate: false,
    vocabulary: [],
    prompt: '',
    speakers: null,
    max_speakers: null,
    speaker_state: 'none',
    speaker_reason: null,
    cached_from: null,
    low_accuracy: false,
    engine_reasons: [],
    wait_reason: null,
    cancel_requested: false,
    attempt: 1,
    windows: { planned: 1, committed: 1, executed: 1 },
    warnings: [],
    error: null,
    gaps: [],
    duration_ms: 60_000,
    speech_ms: 50_000,
    covered_ms: 50_000,
    processing_time_ms: 30_000,
    real_time_factor: 0.5,
    created_at: '2026-11-21T08:00:00Z',
    started_at: '2026-11-21T08:00:01Z',
    finished_at: '2026-11-21T08:00:31Z',
    ...change,
  };
}

/** A segment whose words share its time evenly. */
export function aSegment(index: number, text: string, change: Partial<Segment> = {}): Segment {
  const start = index * 5000;
  const parts = text.trim().split(/\s+/);
  const step = Math.floor(4000 / parts.length);
  return {
    id: `s${String(index)}`,
    start_ms: start,
    end_ms: start + 4000,
    text,
    speaker: null,
    confidence: 0.9,
    flags: [],
    words: parts.map((word, at) => ({
      text: word,
      start_ms: start + at * step,
      end_ms: start + (at + 1) * step,
      confidence: 0.9,
    })),
    ...change,
  };
}

export function aResult(change: Partial<TranscriptResult> = {}): TranscriptResult {
  const segments = change.segments ?? [aSegment(0, 'Hello world.'), aSegment(1, 'Good bye.')];
  return {
    job_id: 'job-1',
    complete: true,
    language: 'en',
    duration_ms: 60_000,
    speech_ms: 50_000,
    covered_ms: 50_000,
    gaps: [],
    speakers: [],
    engine: 'whisper_cpp',
    model: 'base-q8_0',
    low_accuracy: false,
    text: segments.map((segment) => segment.text).join(' '),
    warnings: [],
    ...change,
    segments,
  };
}

export function anEngine(name: string, change: Partial<EngineOption> = {}): EngineOption {
  return {
    name,
    available: true,
    low_accuracy: false,
    cloud: false,
    words: true,
    speakers: false,
    translates: false,
    models: null,
    reason: null,
    ...change,
  };
}

export function aModel(name: string, change: Partial<ManagedModel> = {}): ManagedModel {
  return {
    name,
    kind: 'speech',
    bytes: 82e6,
    multilingual: true,
    licence: 'MIT',
    recommended: false,
    state: 'absent',
    received_bytes: 0,
    verified_at: null,
    error: null,
    default: false,
    in_use: false,
    ...change,
  };
}

export function someOptions(change: Partial<Options> = {}): Options {
  return {
    allow_registration: true,
    setup_token_required: false,
    needs_first_account: false,
    max_file_bytes: 1_000_000_000,
    max_audio_seconds: 36_000,
    password_min_length: 12,
    version: '0.1.0',
    oidc: null,
    links: true,
    email_verification: false,
    mail: false,
    engines: [
      anEngine('whisper_cpp', { translates: true }),
      anEngine('pocketsphinx', { low_accuracy: true }),
    ],
    models: [
      { name: 'base-q8_0', bytes: 82e6, installed: true, default: true, multilingual: true },
      { name: 'small', bytes: 488e6, installed: false, default: false, multilingual: true },
    ],
    languages: [
      { code: 'en', name: 'English' },
      { code: 'de', name: 'German' },
    ],
    default_engine: {
      engine: 'whisper_cpp',
      model: 'base-q8_0',
      low_accuracy: false,
      reason: null,
    },
    local_speakers: true,
    local_speakers_reason: null,
    ...change,
  };
}

export function aToken(token = 'token-1', expiresIn = 600): TokenResponse {
  return {
    access_token: token,
    token_type: 'bearer',
    expires_in: expiresIn,
    user: {
      id: 'user-1',
      email: 'ada@example.org',
      name: 'Ada',
      is_admin: true,
      email_verified: true,
      has_password: true,
      totp_enabled: false,
      workspaces: [{ id: 'ws-1', name: 'Ada', role: 'owner' }],
    },
  };
}
