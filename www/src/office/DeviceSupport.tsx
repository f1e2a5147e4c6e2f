/** Asks a device for a support bundle, and opens the bundle that its user sent. */
import { ClipboardCopy } from "lucide-preact";
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../i18n";
import { Alert, Dialog } from "../ui/components";
import { formatDateTime } from "../ui/format";
import { api, type Device } from "./api";
import { explain, mayWrite } from "./state";
import { useRequest } from "./useRequest";

/** How far the last request is. */
export function SupportState({ device }: { device: Device }): JSX.Element | null {
  const { support } = device;
  if (!support) return null;
  const { state, requested_by: by, requested_at, answered_at } = support;
  return (
    <p class="text-sm" data-testid="support-state" data-state={state}>
      {t(`office/fleet/support/${state}`, { by, at: formatDateTime(answered_at ?? requested_at) })}
    </p>
  );
}

export function SupportButtons({ device, onDone }: { device: Device; onDone: () => void }): JSX.Element | null {
  const [open, setOpen] = useState(false);
  // One id until the office has the request, so that pressing again repeats it.
  const id = useRef(crypto.randomUUID());
  const { busy, error, send } = useRequest(() => {
    id.current = crypto.randomUUID();
    onDone();
  });
  if (device.role !== "collector") return null;
  const named = { user: device.user, id: device.id.slice(0, 8) };
  const canRequest = mayWrite() && device.state !== "revoked" && device.support?.state !== "requested";
  return (
    <>
      {error && <Alert tone="error">{error}</Alert>}
      {typeof device.support?.bundle_at === "number" && (
        <button
          type="button"
          class="btn btn-outline"
          aria-haspopup="dialog"
          aria-label={t("office/fleet/support/open_of", named)}
          onClick={() => setOpen(true)}
        >
          {t("office/fleet/support/open")}
        </button>
      )}
      {canRequest && (
        <button
          type="button"
          class="btn btn-outline"
          disabled={busy}
          aria-label={t("office/fleet/support/request_of", named)}
          onClick={() => send(() => api.requestSupport(device.id, id.current))}
        >
          {t("office/fleet/support/request")}
        </button>
      )}
      {open && <BundleDialog device={device} onClose={() => setOpen(false)} />}
    </>
  );
}

function BundleDialog({ device, onClose }: { device: Device; onClose: () => void }): JSX.Element {
  const [bundle, setBundle] = useState<string | null>(null);
  const [error, setError] = useState<string | null>(null);
  useEffect(() => {
    api.supportBundle(device.id).then(
      (sent) => setBundle(sent.bundle),
      (cause: unknown) => setError(explain(cause)),
    );
  }, [device.id]);
  const title = t("office/fleet/support/title", { user: device.display_name });
  return (
    <Dialog title={title} onClose={onClose} wide>
      {error && <Alert tone="error">{error}</Alert>}
      {bundle === null && !error && <p role="status">{t("app/loading")}</p>}
      {bundle !== null && (
        <>
          <p class="muted text-sm">
            {t("office/fleet/support/arrived", { at: formatDateTime(device.support?.bundle_at ?? 0) })}
          </p>
          <pre
            class="bg-base-200 rounded-field max-h-96 overflow-auto p-3 text-xs whitespace-pre-wrap select-all"
            tabIndex={0}
            aria-label={title}
            data-testid="support-bundle"
          >
            {bundle}
          </pre>
          <button
            type="button"
            class="btn btn-outline self-start"
            onClick={() => void navigator.clipboard.writeText(bundle).catch(() => setError(t("settings/not_copied")))}
          >
            <ClipboardCopy class="size-5" aria-hidden="true" />
            {t("settings/help_copy")}
          </button>
        </>
      )}
    </Dialog>
  );
}
