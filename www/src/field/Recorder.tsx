/** Records audio in chunks that are stored as they come; an interrupted recording can be kept later. */
import { Mic, Square } from "lucide-preact";
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { RecordingRow } from "../core/attachments/attachmentStore";
import { recordingLock } from "../core/store/names";
import { t } from "../i18n";
import { formatDateTime } from "../ui/format";
import { Alert, useBusy } from "../ui/components";
import { useDirtyForm } from "../ui/dirtyForms";
import { resetIdleTimer } from "./autoLock";
import { attachmentsChanged, client, explain } from "./state";

/** Length of a chunk, which is the most that ending the app can lose. */
const CHUNK_MS = 2_000;
const BITS_PER_SECOND = 32_000;
/** Below the office's limit for one attachment: about two hours. */
const MAX_BYTES = 30 * 1024 * 1024;
/** In order of support by players. */
const TYPES = ["audio/mp4", "audio/webm;codecs=opus", "audio/ogg;codecs=opus"];
/** The type that this browser records; empty if it records none of them. */
const AUDIO_TYPE =
  "MediaRecorder" in globalThis ? (TYPES.find((type) => MediaRecorder.isTypeSupported(type)) ?? "") : "";

interface Running {
  id: string;
  recorder: MediaRecorder;
  /** The queue of writes: chunks are stored one after the other. */
  written: Promise<void>;
  /** Releases the screen lock and the recording's Web Lock. */
  release: () => void;
}

export function Recorder({ record }: { record: string }): JSX.Element {
  const [running, setRunning] = useState<Running | null>(null);
  const [length, setLength] = useState(0);
  const [failed, setFailed] = useState<string | null>(null);
  const [interrupted, setInterrupted] = useState<RecordingRow[]>([]);
  const [busy, run] = useBusy();
  const current = useRef<Running | null>(null);
  useDirtyForm(running !== null);
  const reread = (): void => void interruptedRecordings(record).then(setInterrupted, () => undefined);
  useEffect(() => attachmentsChanged.subscribe(reread), [record]);
  // Leaving the page stops the recording; the stored part is offered on return.
  useEffect(() => () => void (current.current && interrupt(current.current)), []);

  const start = (): Promise<void> =>
    run(async () => {
      setFailed(null);
      try {
        const next = await begin(record, {
          length: setLength,
          failed: (cause) => setFailed(explain(cause)),
          full: () => void finish(),
        });
        current.current = next;
        setRunning(next);
      } catch (cause) {
        setFailed(cause instanceof DOMException ? t("attachment/no_microphone") : explain(cause));
      }
    });
  const finish = (): Promise<void> =>
    run(async () => {
      const { current: done } = current;
      if (!done) return;
      try {
        await stop(done);
        await client.finishRecording(done.id, "");
      } catch (cause) {
        setFailed(explain(cause));
      }
      done.release();
      current.current = null;
      setRunning(null);
      setLength(0);
      reread();
    });
  const resolve = (work: Promise<void>): Promise<void> =>
    run(async () => {
      await work.catch((cause: unknown) => setFailed(explain(cause)));
      reread();
    });
  return (
    <div class="flex flex-col gap-3">
      {!AUDIO_TYPE ? (
        <p class="muted text-sm">{t("attachment/no_recorder")}</p>
      ) : running ? (
        <button type="button" class="btn btn-primary" disabled={busy} onClick={() => void finish()}>
          <Square class="size-5" aria-hidden="true" />
          {t("attachment/stop", { length: clock(length) })}
        </button>
      ) : (
        <button type="button" class="btn btn-quiet" disabled={busy} onClick={() => void start()}>
          <Mic class="size-5" aria-hidden="true" />
          {t("attachment/record")}
        </button>
      )}
      {running && <p class="muted text-sm">{t("attachment/recording")}</p>}
      {failed && <Alert tone="error">{failed}</Alert>}
      {interrupted.map((row) => (
        <Alert key={row.id} tone="warning">
          <p>{t("attachment/interrupted", { at: formatDateTime(row.begun_at), length: clock(row.length) })}</p>
          <div class="mt-2 flex gap-2">
            <button
              type="button"
              class="btn btn-primary grow"
              disabled={busy}
              onClick={() => void resolve(client.finishRecording(row.id, t("attachment/interrupted_caption")))}
            >
              {t("attachment/keep")}
            </button>
            <button
              type="button"
              class="btn btn-ghost"
              disabled={busy}
              onClick={() => void resolve(client.dropRecording(row.id))}
            >
              {t("attachment/drop")}
            </button>
          </div>
        </Alert>
      ))}
    </div>
  );
}

/** Events of a running recording. */
interface RecorderEvents {
  /** The length that is stored, in ms. */
  length: (ms: number) => void;
  failed: (cause: unknown) => void;
  /** The maximum size is reached. */
  full: () => void;
}

async function begin(record: string, events: RecorderEvents): Promise<Running> {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const recorder = new MediaRecorder(stream, { mimeType: AUDIO_TYPE, audioBitsPerSecond: BITS_PER_SECOND });
  const id = await client.newId();
  const [releaseScreen, releaseLock] = [keepAwake(), lockRecording(id)];
  const release = (): void => {
    releaseScreen();
    releaseLock();
  };
  const running: Running = { id, recorder, written: Promise.resolve(), release };
  const begun_at = Date.now();
  let [chunks, bytes] = [0, 0];
  recorder.ondataavailable = ({ data }) => {
    if (data.size === 0) return;
    const number = chunks++;
    bytes += data.size;
    const length = Date.now() - begun_at;
    running.written = running.written.then(async () => {
      const row = { id, record, media_type: recorder.mimeType || AUDIO_TYPE, begun_at, length, pieces: number };
      await client.addPiece(row, data);
      events.length(length);
      resetIdleTimer();
    });
    // A chunk that cannot be stored stops the recording; the stored part stays.
    running.written.catch((cause: unknown) => {
      events.failed(cause);
      if (recorder.state !== "inactive") recorder.stop();
    });
    if (bytes > MAX_BYTES && recorder.state !== "inactive") events.full();
  };
  recorder.start(CHUNK_MS);
  return running;
}

/** Stops the recording; resolves when all chunks are stored or have failed. */
async function stop(running: Running): Promise<void> {
  const { recorder } = running;
  if (recorder.state !== "inactive") {
    const stopped = new Promise((resolve) => recorder.addEventListener("stop", resolve, { once: true }));
    recorder.stop();
    await stopped;
  }
  for (const track of recorder.stream.getTracks()) track.stop();
  await running.written.catch(() => undefined);
}

/** Stops without creating an attachment; the user is offered that later. */
async function interrupt(running: Running): Promise<void> {
  await stop(running);
  running.release();
}

/** Marks a recording as running for all tabs, until it is released or its tab ends. */
function lockRecording(id: string): () => void {
  let unlock = (): void => undefined;
  void navigator.locks.request(recordingLock(id), () => new Promise<void>((done) => (unlock = done)));
  return () => unlock();
}

/** Stored recordings that no tab is recording any more. */
async function interruptedRecordings(record: string): Promise<RecordingRow[]> {
  const [rows, { held = [] }] = await Promise.all([client.recordings(record), navigator.locks.query()]);
  return rows.filter(({ id }) => !held.some(({ name }) => name === recordingLock(id)));
}

/** Keeps the screen on, since a sleeping phone stops recordings. Returns a function that releases it. */
function keepAwake(): () => void {
  let lock: WakeLockSentinel | null = null;
  let wanted = true;
  const ask = (): void => {
    if (!wanted || document.visibilityState !== "visible" || !("wakeLock" in navigator)) return;
    navigator.wakeLock.request("screen").then(
      (granted) => {
        lock = granted;
        if (!wanted) void granted.release();
      },
      () => undefined, // Refused when the battery is low; recording continues.
    );
  };
  ask();
  // The browser releases the lock whenever the page is hidden.
  document.addEventListener("visibilitychange", ask);
  return () => {
    wanted = false;
    document.removeEventListener("visibilitychange", ask);
    void lock?.release().catch(() => undefined);
  };
}

/** `2:05` */
function clock(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
