/** Signatures of a sealed record: signer, validity, and the text that was read back. */
import { BadgeCheck, CircleX } from "lucide-preact";
import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import type { SignatureView, VisitView } from "../wasm/doorstep";
import { t } from "../i18n";
import { formatDateTime } from "./format";
import { Alert, Dialog } from "./components";

export function Signatures({ view, children }: { view: VisitView; children?: ComponentChildren }): JSX.Element | null {
  const { seal } = view;
  if (!seal) return null;
  const signed = seal.signatures.some(({ standing, sound }) => standing && sound);
  return (
    <section class="card-plain flex flex-col gap-4" aria-label={t("signature/title")}>
      <h3 class="section-title">{t("signature/title")}</h3>
      {seal.changed && (
        <Alert tone="warning">
          <p data-testid="changed-since-seal">{t("signature/seal_changed")}</p>
        </Alert>
      )}
      {!signed && <p class="muted">{t("signature/none")}</p>}
      {seal.signatures.length > 0 && (
        <ul class="flex flex-col gap-4">
          {seal.signatures.map((signature) => (
            <SignatureItem key={signature.id} signature={signature} />
          ))}
        </ul>
      )}
      {children}
    </section>
  );
}

function SignatureItem({ signature }: { signature: SignatureView }): JSX.Element {
  const [open, setOpen] = useState(false);
  const { sound, changed, standing, by, at, text } = signature;
  const Icon = sound && !changed ? BadgeCheck : CircleX;
  const state = !sound ? "invalid" : changed ? "changed" : standing ? "valid" : "earlier";
  const alarming = !sound || changed;
  return (
    <li class="flex gap-3" data-testid="signature" data-sound={sound} data-standing={standing} data-changed={changed}>
      <Icon class={`mt-0.5 size-6 shrink-0 ${alarming ? "text-error" : "text-primary"}`} aria-hidden="true" />
      <div class="min-w-0">
        <p class="font-semibold">{by}</p>
        <p class="muted text-sm">{formatDateTime(at)}</p>
        <p class={`text-sm ${alarming ? "text-error font-semibold" : ""}`}>{t(`signature/${state}`)}</p>
        <button
          type="button"
          class="btn btn-ghost h-auto min-h-11 justify-start px-0 text-sm font-medium underline underline-offset-4"
          onClick={() => setOpen(true)}
        >
          {t("signature/show")}
        </button>
      </div>
      {open && (
        <Dialog title={t("signature/text", { by })} onClose={() => setOpen(false)}>
          <p class="overflow-y-auto whitespace-pre-line" tabIndex={0}>
            {text}
          </p>
        </Dialog>
      )}
    </li>
  );
}
