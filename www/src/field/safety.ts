/** The visit that the office watches over, as pages show it. */
import { signal } from "@preact/signals";
import type { SafetyPosition, SafetyState } from "../core/api";
import { t } from "../i18n";
import { formatTime } from "../ui/format";
import type { VisitView } from "../wasm/doorstep";
import { practising } from "./practiceMode";
import { client } from "./state";

/** Time until the check-out is due, unless the appointment ends later. */
const VISIT_MS = 60 * 60_000;
/** Time to say goodbye after an appointment. */
const AFTER_APPOINTMENT_MS = 15 * 60_000;
/** What "I'm safe" adds. */
export const EXTENSION_MS = 30 * 60_000;
/** A departure that long ago belongs to a visit whose end was never recorded. */
const FORGOTTEN_MS = 12 * 3_600_000;
/** An arrival is new for this long. */
const NEW_MS = 60_000;
const POSITION_WAIT_MS = 5_000;

export const safetyState = signal<SafetyState | null>(null);

/** Reads the state and follows it. */
export async function startSafety(): Promise<void> {
  if (practising) return;
  client.subscribe((event) => {
    if (event.type === "safety") safetyState.value = event.safety;
  });
  safetyState.value = await client.safety().catch(() => null);
}

/** Has the office watch a visit that is under way; an arrival starts the time anew. */
export async function watchVisit({ id, visit, appointment }: VisitView): Promise<void> {
  const since = visit.arrived_at ?? visit.departed_at;
  const now = Date.now();
  if (practising || since === null || now - since > FORGOTTEN_MS) return;
  const { value: state } = safetyState;
  const isWatched = state?.record === id && !state.ended;
  if (isWatched && now - since > NEW_MS) return;
  const end = appointment.status === "agreed" ? (appointment.ends_at ?? 0) + AFTER_APPOINTMENT_MS : 0;
  const due = end > now && end < now + FORGOTTEN_MS ? Math.max(end, now + VISIT_MS) : now + VISIT_MS;
  await client.watchVisit(id, await client.newId(), due);
}

export async function extendWatch(state: SafetyState): Promise<void> {
  await client.watchVisit(state.record, state.id, Date.now() + EXTENSION_MS);
}

export async function endWatch(record: string): Promise<void> {
  if (!practising) await client.endWatch(record).catch(() => undefined);
}

/** Raises the alarm at once, and adds the place if the phone finds it soon. */
export async function raiseAlarm(record: string): Promise<void> {
  const id = await client.newId();
  await client.raiseAlarm(record, id, null);
  const position = await currentPosition();
  if (position) await client.raiseAlarm(record, id, position);
}

function currentPosition(): Promise<SafetyPosition | null> {
  return new Promise((resolve) =>
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => resolve({ lat: coords.latitude, lon: coords.longitude }),
      () => resolve(null),
      { enableHighAccuracy: true, timeout: POSITION_WAIT_MS, maximumAge: 60_000 },
    ),
  );
}

/** What the office knows of an alarm or of the time for the check-out. */
export function safetyText(state: SafetyState): string {
  const known = state.confirmed_at !== null;
  if (state.alarm_at !== null) {
    if (!known) return t("safety/alarm_unsent");
    return state.seen_by === null
      ? t("safety/alarm_received", { at: formatTime(state.confirmed_at ?? 0) })
      : t("safety/alarm_seen", { by: state.seen_by });
  }
  return t(known ? "safety/due" : "safety/due_unsent", { at: formatTime(state.due_at) });
}

/** Number of the police, or else the one that mobile networks connect to it. */
export function emergencyNumber(zone: string): string {
  if (["Asia/Shanghai", "Asia/Urumqi", "Asia/Taipei"].includes(zone)) return "110";
  if (zone.startsWith("America/")) return "911";
  if (zone.startsWith("Australia/")) return "000";
  return "112";
}
