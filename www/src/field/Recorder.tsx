/** Records sound in pieces, each on disk while it goes on; what a kill left is offered afterwards. */
import { Mic, Square } from "lucide-preact";
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { RecordingRow } from "../core/attachments/attachmentStore";
import { recordingLock } from "../core/store/names";
import { t } from "../i18n";
import { formatDateTime } from "../ui/format";
import { Alert, useBusy } from "../ui/components";
import { useDirtyForm } from "../ui/dirtyForms";
import { touch } from "./autoLock";
import { attachmentsChanged, client, explain } from "./state";

/** A kill costs no more than this. */
const PIECE_MS = 2_000;
const BITS_PER_SECOND = 32_000;
/** Before the office takes no more: some two hours. */
const MOST_BYTES = 30 * 1024 * 1024;
/** In order of what plays everywhere. */
const TYPES = ["audio/mp4", "audio/webm;codecs=opus", "audio/ogg;codecs=opus"];

interface Running {
  id: string;
  recorder: MediaRecorder;
  /** Pieces are written one after the other. */
  written: Promise<void>;
  /** Lets the screen go dark, and other pages offer what is left of it. */
  release: () => void;
}

export function Recorder({ record }: { record: string }): JSX.Element {
  const [running, setRunning] = useState<Running | null>(null);
  const [length, setLength] = useState(0);
  const [failed, setFailed] = useState<string | null>(null);
  const [cut, setCut] = useState<RecordingRow[]>([]);
  const [busy, run] = useBusy();
  const current = useRef<Running | null>(null);
  useDirtyForm(running !== null);
  const reread = (): void => void cutOff(record).then(setCut, () => undefined);
  useEffect(() => attachmentsChanged.subscribe(reread), [record]);
  // Whoever leaves the page ends the recording; what is on disk is offered when they come back.
  useEffect(() => () => void (current.current && end(current.current)), []);

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
  const settle = (work: Promise<void>): Promise<void> =>
    run(async () => {
      await work.catch((cause: unknown) => setFailed(explain(cause)));
      reread();
    });
  return (
    <div class="flex flex-col gap-3">
      {running ? (
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
      {cut.map((row) => (
        <Alert key={row.id} tone="warning">
          <p>{t("attachment/cut", { at: formatDateTime(row.begun_at), length: clock(row.length) })}</p>
          <div class="mt-2 flex gap-2">
            <button
              type="button"
              class="btn btn-primary grow"
              disabled={busy}
              onClick={() => void settle(client.finishRecording(row.id, t("attachment/cut_caption")))}
            >
              {t("attachment/keep")}
            </button>
            <button
              type="button"
              class="btn btn-ghost"
              disabled={busy}
              onClick={() => void settle(client.dropRecording(row.id))}
            >
              {t("attachment/drop")}
            </button>
          </div>
        </Alert>
      ))}
    </div>
  );
}

/** What is heard of a recording that goes on. */
interface Heard {
  /** So much is on disk, ms. */
  length: (ms: number) => void;
  failed: (cause: unknown) => void;
  /** It is as long as one may be. */
  full: () => void;
}

async function begin(record: string, heard: Heard): Promise<Running> {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const type = TYPES.find((known) => MediaRecorder.isTypeSupported(known)) ?? "";
  const recorder = new MediaRecorder(stream, { mimeType: type, audioBitsPerSecond: BITS_PER_SECOND });
  const id = await client.newId();
  const [dark, free] = [keepAwake(), hold(id)];
  const release = (): void => {
    dark();
    free();
  };
  const running: Running = { id, recorder, written: Promise.resolve(), release };
  const begun_at = Date.now();
  let [pieces, bytes] = [0, 0];
  recorder.ondataavailable = ({ data }) => {
    if (data.size === 0) return;
    const number = pieces++;
    bytes += data.size;
    const length = Date.now() - begun_at;
    running.written = running.written.then(async () => {
      const row = { id, record, media_type: recorder.mimeType || type, begun_at, length, pieces: number };
      await client.addPiece(row, data);
      heard.length(length);
      touch();
    });
    // What is on disk stays; a piece that can't be written ends the recording.
    running.written.catch((cause: unknown) => {
      heard.failed(cause);
      if (recorder.state !== "inactive") recorder.stop();
    });
    if (bytes > MOST_BYTES && recorder.state !== "inactive") heard.full();
  };
  recorder.start(PIECE_MS);
  return running;
}

/** Stops, and resolves when all of it is on disk or has failed. */
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

/** Stops without making an attachment of it: that is offered to whoever comes back. */
async function end(running: Running): Promise<void> {
  await stop(running);
  running.release();
}

/** Marks a recording as under way, in every tab, until it is let go or its tab ends. */
function hold(id: string): () => void {
  let free = (): void => undefined;
  void navigator.locks.request(recordingLock(id), () => new Promise<void>((done) => (free = done)));
  return () => free();
}

/** Recordings that no page goes on with. */
async function cutOff(record: string): Promise<RecordingRow[]> {
  const [rows, { held = [] }] = await Promise.all([client.recordings(record), navigator.locks.query()]);
  return rows.filter(({ id }) => !held.some(({ name }) => name === recordingLock(id)));
}

/** Keeps the screen on: a phone that sleeps ends recordings. Returns what lets it go dark. */
function keepAwake(): () => void {
  let lock: WakeLockSentinel | null = null;
  let wanted = true;
  const ask = (): void => {
    if (!wanted || document.visibilityState !== "visible" || !("wakeLock" in navigator)) return;
    navigator.wakeLock.request("screen").then(
      (given) => {
        lock = given;
        if (!wanted) void given.release();
      },
      () => undefined, // A battery that is low refuses; the recording goes on.
    );
  };
  ask();
  // The browser takes it back whenever the page is out of sight.
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
