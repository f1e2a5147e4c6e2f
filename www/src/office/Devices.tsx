/** The list of devices, and the dialog that revokes one. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { t, word } from "../i18n";
import { formatDateTime } from "../ui/format";
import { Alert, Dialog, TextField } from "../ui/components";
import { api, type Device } from "./api";
import { Empty } from "./layout";
import { useRequest } from "./useRequest";

export function Devices(props: { devices: Device[]; canEdit: boolean; onDone: () => void }): JSX.Element {
  const [revoking, setRevoking] = useState<Device | null>(null);
  return (
    <section class="flex flex-col gap-3" aria-label={t("office/people/devices")}>
      <h2 class="section-title">{t("office/people/devices")}</h2>
      {props.devices.length === 0 && <Empty title={t("office/people/no_devices")} />}
      <ul class="flex flex-col gap-2 empty:hidden">
        {props.devices.map((device) => (
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
            {device.state !== "active" && (
              <span class={`badge ${device.state === "revoked" ? "badge-error" : "badge-warning"}`}>
                {t(`office/people/state_${device.state}`)}
              </span>
            )}
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
