/**
 * The audio recording of a visit. It continues while the user works on other pages of the app and, as
 * far as the browser lets it, in the background. It says when it was interrupted: a gap that is not
 * marked would be taken for silence.
 */
import { signal } from "@preact/signals";
import type { RecordingRow } from "../core/attachments/attachmentStore";
import { recordingLock } from "../core/store/names";
import { t } from "../i18n";
import { formatTimeOfDay } from "../ui/format";
import { dirtyForms } from "../ui/dirtyForms";
import { resetIdleTimer } from "./autoLock";
import { client, explain, locking, session as app } from "./state";
import { keepAwake } from "./wakeLock";

/** Length of a chunk, which is the most that ending the app can lose. */
const CHUNK_MS = 2_000;
/** Chunks that come later than this were not recorded all the time: the system suspended the page. */
const GAP_MS = 3 * CHUNK_MS;
const BITS_PER_SECOND = 32_000;
/** Below the office's limit for one attachment: about two hours. */
const MAX_BYTES = 30 * 1024 * 1024;
/** In order of support by players. */
const TYPES = ["audio/mp4", "audio/webm;codecs=opus", "audio/ogg;codecs=opus"];
/** The type that this browser records; empty if it records none of them. */
export const AUDIO_TYPE =
  "MediaRecorder" in globalThis ? (TYPES.find((type) => MediaRecorder.isTypeSupported(type)) ?? "") : "";
/** Gaps that a caption names. */
const MAX_NAMED = 4;

/** What is recorded: only what is needed, and the attachment says what it is. */
export const RECORDED = ["door", "talk", "read_back"] as const;
export type Recorded = (typeof RECORDED)[number];

export interface Recording {
  id: string;
  record: string;
  /** ms of sound on disk. */
  length: number;
  /** Times without sound, ms; the last one may be open. */
  gaps: readonly { from: number; to: number | null }[];
  /** The phone keeps its screen on. */
  awake: boolean;
}

/** The recording of this tab. */
export const recording = signal<Recording | null>(null);
/** Why it could not start or was stopped. */
export const recordingError = signal<string | null>(null);

interface Session {
  recorder: MediaRecorder;
  phase: Recorded;
  /** The queue of writes: chunks are stored one after the other. */
  written: Promise<void>;
  release: () => void;
}
let session: Session | null = null;

function update(change: Partial<Recording>): void {
  if (recording.value) recording.value = { ...recording.value, ...change };
}

export async function startRecording(record: string, phase: Recorded): Promise<void> {
  if (recording.value) return;
  recordingError.value = null;
  try {
    await begin(record, phase);
  } catch (cause) {
    await abandon();
    recordingError.value = cause instanceof DOMException ? t("attachment/no_microphone") : explain(cause);
  }
}

/** Takes the running session to end it: a second tap must not end it again. */
function takeSession(): Session | null {
  const taken = session;
  session = null;
  return taken;
}

/** Stops and makes an attachment of it. */
export async function finishRecording(): Promise<void> {
  const ended = takeSession();
  if (!ended) return;
  await stop(ended);
  if (recording.value) {
    const { id, gaps } = recording.value;
    await client
      .finishRecording(id, caption(ended.phase, gaps))
      .catch((cause: unknown) => (recordingError.value = explain(cause)));
  }
  close(ended);
}

/** Stops without making an attachment: the stored part is offered later. */
async function abandon(): Promise<void> {
  const ended = takeSession();
  if (!ended) return;
  await stop(ended);
  close(ended);
}

function close(ended: Session): void {
  ended.release();
  recording.value = null;
}

// A locked or signed-out app can't store anything.
locking.subscribe((now) => void (now && abandon()));
app.subscribe((state) => void (state && state.kind !== "ready" && abandon()));

async function begin(record: string, phase: Recorded): Promise<void> {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const recorder = new MediaRecorder(stream, { mimeType: AUDIO_TYPE, audioBitsPerSecond: BITS_PER_SECOND });
  const id = await client.newId();
  const releases = [keepAwake((awake) => update({ awake })), lockRecording(id), countDirty()];
  const started: Session = {
    recorder,
    phase,
    written: Promise.resolve(),
    release: () => releases.forEach((release) => release()),
  };
  session = started;
  recording.value = { id, record, length: 0, gaps: [], awake: false };
  watchMicrophone(stream);
  const begun_at = Date.now();
  let [chunks, bytes, last] = [0, 0, begun_at];
  recorder.ondataavailable = ({ data }) => {
    const now = Date.now();
    if (now - last > GAP_MS) addGap(last + CHUNK_MS, now);
    last = now;
    if (data.size === 0) return;
    const number = chunks++;
    bytes += data.size;
    const row: RecordingRow = {
      id,
      record,
      media_type: recorder.mimeType || AUDIO_TYPE,
      begun_at,
      length: now - begun_at,
      pieces: number,
      caption: caption(phase, recording.value?.gaps ?? []),
    };
    started.written = started.written.then(async () => {
      await client.addPiece(row, data);
      update({ length: row.length });
      resetIdleTimer();
    });
    // A chunk that cannot be stored stops the recording; the stored part stays.
    started.written.catch((cause: unknown) => {
      recordingError.value = explain(cause);
      void abandon();
    });
    if (bytes > MAX_BYTES) void finishRecording();
  };
  recorder.start(CHUNK_MS);
}

/** Another app, such as a call, takes the microphone away: the recorder then records silence. */
function watchMicrophone(stream: MediaStream): void {
  for (const track of stream.getAudioTracks()) {
    track.onmute = () => addGap(Date.now(), null);
    track.onunmute = () => endGap(Date.now());
    track.onended = () => void finishRecording();
  }
}

function addGap(from: number, to: number | null): void {
  const gaps = recording.value?.gaps ?? [];
  if (gaps.at(-1)?.to === null) return;
  update({ gaps: [...gaps, { from, to }] });
}

function endGap(to: number): void {
  const gaps = recording.value?.gaps ?? [];
  const open = gaps.at(-1);
  if (open?.to === null) update({ gaps: [...gaps.slice(0, -1), { ...open, to }] });
}

/** What was recorded, and when it was interrupted: the caption travels with the attachment. */
function caption(phase: Recorded, gaps: Recording["gaps"]): string {
  return [t(`recording/${phase}`), gapsText(gaps)].filter(Boolean).join(" · ");
}

export function gapsText(gaps: Recording["gaps"]): string {
  if (gaps.length === 0) return "";
  const named = gaps
    .slice(0, MAX_NAMED)
    .map(({ from, to }) => `${formatTimeOfDay(from)}–${formatTimeOfDay(to ?? Date.now())}`);
  const more = gaps.length > MAX_NAMED ? " …" : "";
  return t("recording/interrupted", { times: named.join(", ") + more });
}

/** Stops the recorder; resolves when all chunks are stored or have failed. */
async function stop(ended: Session): Promise<void> {
  const { recorder } = ended;
  if (recorder.state !== "inactive") {
    const stopped = new Promise((resolve) => recorder.addEventListener("stop", resolve, { once: true }));
    recorder.stop();
    await stopped;
  }
  for (const track of recorder.stream.getTracks()) {
    track.onended = null;
    track.stop();
  }
  await ended.written.catch(() => undefined);
}

/** Nothing may reload the page while it records. */
function countDirty(): () => void {
  dirtyForms.value += 1;
  return () => void (dirtyForms.value -= 1);
}

/** Marks a recording as running for all tabs, until it is released or its tab ends. */
function lockRecording(id: string): () => void {
  let unlock = (): void => undefined;
  void navigator.locks.request(recordingLock(id), () => new Promise<void>((done) => (unlock = done)));
  return () => unlock();
}

/** Stored recordings that no tab is recording any more. */
export async function interruptedRecordings(record: string): Promise<RecordingRow[]> {
  const [rows, { held = [] }] = await Promise.all([client.recordings(record), navigator.locks.query()]);
  return rows.filter(({ id }) => !held.some(({ name }) => name === recordingLock(id)));
}

/** `2:05` */
export function recordedLength(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
