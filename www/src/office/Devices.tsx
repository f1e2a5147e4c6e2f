/** The list of devices, and the dialog that revokes one. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { t, word } from "../i18n";
import { formatCount, formatDateTime, formatSpan } from "../ui/format";
import { Alert, Dialog, TextField } from "../ui/components";
import { api, type Device } from "./api";
import { SupportButtons, SupportState } from "./DeviceSupport";
import { Empty } from "./layout";
import { useRequest } from "./useRequest";

export function Devices(props: { devices: Device[]; canEdit: boolean; onDone: () => void }): JSX.Element {
  const [revoking, setRevoking] = useState<Device | null>(null);
  return (
    <section class="flex flex-col gap-3" aria-label={t("office/people/devices")}>
      <h2 class="section-title">{t("office/people/devices")}</h2>
      {props.devices.length === 0 && <Empty title={t("office/people/no_devices")} />}
      <ul class="flex flex-col gap-2 empty:hidden">
        {inOrder(props.devices).map((device) => (
          <li
            key={device.id}
            data-testid="device-row"
            data-id={device.id}
            class="card-plain flex flex-wrap items-center gap-x-4 gap-y-2"
          >
            <div class="min-w-0 grow">
              <p class="font-medium break-words">
                {device.display_name} <span class="font-mono text-xs">{device.id.slice(0, 8)}</span>
              </p>
              <p class="muted text-sm break-words">
                {device.user} · {word("role", device.role)} ·{" "}
                {t("office/people/seen", { at: formatDateTime(device.last_seen_at) })}
                {device.app_version && ` · ${t("office/people/version", { version: device.app_version })}`}
              </p>
              <DeviceState device={device} />
              <SupportState device={device} />
              {device.revoked_at !== null && (
                <p class="text-sm break-words">
                  {t("office/people/revoked_by", {
                    by: device.revoked_by,
                    at: formatDateTime(device.revoked_at),
                    reason: device.revoked_reason,
                  })}
                </p>
              )}
            </div>
            {device.out_of_touch && <span class="badge badge-warning">{t("office/fleet/out_of_touch")}</span>}
            {device.state !== "active" && (
              <span class={`badge ${device.state === "revoked" ? "badge-error" : "badge-warning"}`}>
                {t(`office/people/state_${device.state}`)}
              </span>
            )}
            <SupportButtons device={device} onDone={props.onDone} />
            {props.canEdit && device.state !== "revoked" && (
              <button
                type="button"
                class="btn btn-outline"
                aria-haspopup="dialog"
                aria-label={t("office/people/revoke_device", { user: device.user, id: device.id.slice(0, 8) })}
                onClick={() => setRevoking(device)}
              >
                {t("office/people/revoke")}
              </button>
            )}
          </li>
        ))}
      </ul>
      {revoking && (
        <RevokeDialog
          device={revoking}
          onClose={() => setRevoking(null)}
          onDone={() => {
            setRevoking(null);
            props.onDone();
          }}
        />
      )}
    </section>
  );
}

/** Devices out of touch first, then those with unsent work, then those seen last. */
function inOrder(devices: Device[]): Device[] {
  const rank = (device: Device): number =>
    device.state === "revoked" ? 3 : device.out_of_touch ? 0 : (device.report?.unsent ?? 0) > 0 ? 1 : 2;
  return [...devices].sort((a, b) => rank(a) - rank(b) || b.last_seen_at - a.last_seen_at);
}

/** A clock that is off by less is not worth a word. */
const MIN_SKEW_MS = 2 * 60_000;

/** What a device last said about itself. */
function DeviceState({ device }: { device: Device }): JSX.Element | null {
  const { report, undelivered } = device;
  if (device.state === "revoked" || device.role !== "collector") return null;
  if (!report) return <p class="muted text-sm">{t("office/fleet/no_report")}</p>;
  const skew = report.clock_skew_ms ?? 0;
  const facts = [
    report.unsent === 0
      ? t("office/fleet/nothing_unsent")
      : t("office/fleet/unsent", { n: report.unsent }) +
        (report.oldest_unsent_at === null
          ? ""
          : ` (${t("office/fleet/oldest", { at: formatDateTime(report.oldest_unsent_at) })})`),
    undelivered === null ? "" : t("office/fleet/undelivered", { n: undelivered }),
    report.persisted === null
      ? t("office/fleet/storage_unknown")
      : t(report.persisted ? "office/fleet/storage_kept" : "office/fleet/storage_not_kept"),
    Math.abs(skew) < MIN_SKEW_MS
      ? ""
      : t(skew > 0 ? "office/fleet/clock_ahead" : "office/fleet/clock_behind", { span: formatSpan(Math.abs(skew)) }),
    ...report.failed.map(({ reason, count }) =>
      t("office/fleet/failed", { count: formatCount(count), reason: t(`office/fleet/reason/${asReason(reason)}`) }),
    ),
  ].filter((fact) => fact !== "");
  return (
    <div class="text-sm" data-testid="device-report" data-unsent={report.unsent}>
      <p class="muted">{t("office/fleet/reported", { at: formatDateTime(report.received_at) })}</p>
      <ul class="flex flex-wrap gap-x-3">
        {facts.map((fact) => (
          <li key={fact}>{fact}</li>
        ))}
      </ul>
    </div>
  );
}

const REASONS = [
  ...(["offline", "office_busy", "office_error", "malformed_reply", "malformed", "too_large"] as const),
  ...(["unsupported_version", "signed_out", "other_workspace", "device_revoked", "other"] as const),
] as const;

const asReason = (reason: string): (typeof REASONS)[number] => REASONS.find((known) => known === reason) ?? "other";

/** Revoking can't be undone, so it needs confirmation and a reason. */
function RevokeDialog(props: { device: Device; onClose: () => void; onDone: () => void }): JSX.Element {
  const [reason, setReason] = useState("");
  const { busy, error, send } = useRequest(props.onDone);
  const { device } = props;
  const revoke = (event: SubmitEvent): void => {
    event.preventDefault();
    send(() => api.revoke(device.id, reason.trim()));
  };
  return (
    <Dialog title={t("office/people/revoke_title", { user: device.display_name })} onClose={props.onClose}>
      <form class="flex flex-col gap-4" onSubmit={revoke}>
        <p>{t("office/people/revoke_text")}</p>
        <div class="flex flex-wrap gap-2" role="group" aria-label={t("office/fleet/common_reasons")}>
          {(["replaced", "lost", "left"] as const).map((common) => (
            <button
              key={common}
              type="button"
              class="btn btn-outline btn-sm"
              onClick={() => setReason(t(`office/fleet/because/${common}`))}
            >
              {t(`office/fleet/because/${common}`)}
            </button>
          ))}
        </div>
        <p class="muted text-sm">{t("office/fleet/replace_text")}</p>
        <TextField
          label={t("office/people/reason")}
          value={reason}
          hint={t("office/people/reason_hint")}
          onInput={setReason}
        />
        {error && <Alert tone="error">{error}</Alert>}
        <button type="submit" class="btn btn-error" disabled={busy || !reason.trim()}>
          {t("office/people/revoke_now")}
        </button>
      </form>
    </Dialog>
  );
}
