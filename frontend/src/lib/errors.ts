/** Errors of the HTTP contract: `{"error": {code, message, field?, retry_after?, request_id}}`. */

export interface ErrorDetail {
  code: string;
  message: string;
  field?: string | null;
  retry_after?: number | null;
  request_id?: string | null;
}

export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly field: string | null;
  readonly retryAfter: number | null;
  readonly requestId: string | null;

  constructor(status: number, detail: ErrorDetail) {
    super(detail.message);
    this.name = 'ApiError';
    this.status = status;
    this.code = detail.code;
    this.field = detail.field ?? null;
    this.retryAfter = detail.retry_after ?? null;
    this.requestId = detail.request_id ?? null;
  }
}

/** The server could not be reached at all. */
export class NetworkError extends Error {
  constructor(cause: unknown) {
    super('The server could not be reached.', { cause });
    this.name = 'NetworkError';
  }
}

function isDetail(value: unknown): value is ErrorDetail {
  if (typeof value !== 'object' || value === null) return false;
  const { code, message } = value as Record<string, unknown>;
  return typeof code === 'string' && typeof message === 'string';
}

/** Builds an `ApiError` from a parsed body, whatever a proxy in between made of it. */
export function toApiError(status: number, body: unknown, requestId: string | null): ApiError {
  const detail =
    typeof body === 'object' && body !== null ? (body as Record<string, unknown>).error : undefined;
  if (isDetail(detail)) {
    return new ApiError(status, { ...detail, request_id: detail.request_id ?? requestId });
  }
  return new ApiError(status, {
    code: `http_${String(status)}`,
    message: `The server answered with status ${String(status)}.`,
    request_id: requestId,
  });
}

/** Reads the error body of a raw response. */
export async function errorFrom(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null);
  return toApiError(response.status, body, response.headers.get('x-request-id'));
}

/** The last step of a field path: `body.email` -> `email`. */
export function fieldName(path: string): string {
  return path.split('.').at(-1) ?? path;
}
