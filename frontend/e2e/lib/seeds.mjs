/** States that a clean recording and a true engine do not come to by themselves, written into the server's database. */

// Ids stand in SQLite as 32 hexadecimal digits.
const hex = (id) => id.replaceAll('-', '');

const FIND = `
job = args[0]
run, transcript = db.execute('select run, transcript_id from jobs where id = ?', (job,)).fetchone()
`;

/** Takes the text of one window away and leaves a gap, as if the engine had heard nothing there. */
export function loseWindow(server, jobId, index) {
  server.seed(
    `${FIND}
index = int(args[1])
start, end, speech = db.execute('select start_ms, end_ms, speech from job_windows where job_id = ? and run = ? and idx = ?', (job, run, index)).fetchone()
speech = json.loads(speech)
gaps = json.dumps([[speech[0][0], speech[-1][1]]])
lost = sum(b - a for a, b in speech)
db.execute('update job_windows set segments = ?, gaps = ?, covered_ms = 0 where job_id = ? and run = ? and idx = ?', ('[]', gaps, job, run, index))
db.execute('delete from segments where transcript_id = ? and start_ms >= ? and start_ms < ?', (transcript, start, end))
for table, key in (('jobs', job), ('transcripts', transcript)):
    db.execute(f'update {table} set gaps = ?, covered_ms = speech_ms - ? where id = ?', (gaps, lost, key))
`,
    hex(jobId),
    String(index),
  );
}

/** Puts doubts on some segments and on their words, warnings on the transcript, and reasons on the job. */
export function addDoubts(server, jobId) {
  server.seed(
    `${FIND}
rows = db.execute('select position, words from segments where transcript_id = ? order by position', (transcript,)).fetchall()
flags = (['loop'], [], ['low_confidence', 'hard_cut'], [], [], ['no_speech'], ['language_flip'], ['too_fast'])
for (position, words), names in zip(rows, flags):
    words = json.loads(words)
    if names:
        words[9::5] = [31] * len(words[9::5])
    db.execute('update segments set flags = ?, words = ? where transcript_id = ? and position = ?', (json.dumps(names), json.dumps(words), transcript, position))
warnings = json.dumps([{'code': 'gaps', 'message': 'One passage has no text.'}, {'code': 'media_truncated', 'message': 'The file ends early; it was read up to the cut.'}])
reasons = json.dumps(['whisper_cpp: chosen, the most accurate engine that is ready', 'assemblyai: no key is set (\`ASSEMBLYAI_API_KEY\`)'])
db.execute('update transcripts set warnings = ? where id = ?', (warnings, transcript))
db.execute('update jobs set warnings = ?, engine_reasons = ?, vocabulary = ? where id = ?', (warnings, reasons, json.dumps(['Ada Lovelace', 'Grace Hopper', 'Linus']), job))
`,
    hex(jobId),
  );
}
