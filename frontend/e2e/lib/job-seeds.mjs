/** States of jobs that a calm server does not come to, written into its database. */

const hex = (id) => id.replaceAll('-', '');

const TELL = `
import datetime, uuid
job = args[0]
workspace, attempt = db.execute('select workspace_id, attempt from jobs where id = ?', (job,)).fetchone()
def tell(kind, **detail):
    now = datetime.datetime.now(datetime.timezone.utc).strftime('%Y-%m-%d %H:%M:%S.%f')
    db.execute('insert into job_history (id, job_id, workspace_id, kind, attempt, detail, created_at) values (?, ?, ?, ?, ?, ?, ?)',
        (uuid.uuid4().hex, job, workspace, kind, attempt, json.dumps(detail), now))
`;

/** It has just been completed. */
export function ended(server, jobId) {
  server.seed(`${TELL}
db.execute("update jobs set status = 'completed', wait_reason = null where id = ?", (job,))
tell('completed')`, hex(jobId));
}

/** Its engine crashed twice on the third window. */
export function quarantined(server, jobId) {
  server.seed(`${TELL}
message = 'The engine crashed 2 times on window 3 of this recording, so it is set aside.'
detail = {'window': 2, 'advice': 'Retry with another model.', 'log_tail': 'whisper_init: loading\\nggml_aligned_malloc: out of memory (wanted 512 MB)'}
db.execute("update jobs set status = 'failed', wait_reason = null, error_code = 'quarantined', error_message = ?, error_detail = ? where id = ?", (message, json.dumps(detail), job))
tell('engine_chosen', engine='whisper_cpp', model='base-q8_0', reasons=['whisper_cpp: the first that can', 'openai: no key is set (\`OPENAI_API_KEY\`)'])
tell('engine_crashed', window=2, count=1)
tell('retry_scheduled', code='engine_failed', message='The speech engine crashed on a part of the recording.')
tell('window_repeated', window=2, count=2)
tell('engine_crashed', window=2, count=2)
tell('failed', code='quarantined', message=message, **detail)`, hex(jobId));
}

/** Its model's file is not the model: only the operator can help. */
export function waitsForRepair(server, jobId) {
  server.seed("db.execute(\"update jobs set wait_reason = 'model_invalid' where id = ?\", (args[0],))", hex(jobId));
}

/** Its provider failed; the next try is in an hour. */
export function waitsForProvider(server, jobId) {
  server.seed(`${TELL}
later = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=55)).strftime('%Y-%m-%d %H:%M:%S.%f')
db.execute("update jobs set status = 'pending', wait_reason = null, error_code = 'provider_down', error_message = 'The provider is busy.', run_after = ? where id = ?", (later, job))`, hex(jobId));
}
