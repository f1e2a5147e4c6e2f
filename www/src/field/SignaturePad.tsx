/**
 * A signature drawn by finger, or a typed name with the reason. It is a draft until it is saved
 * (rule D7), so it survives the end of the app.
 */
import Pad from "signature_pad";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../i18n";
import { Alert, Choices, Dialog, TextField } from "../ui/components";
import { useForm } from "./useForm";
import { me } from "./state";
import { drawStrokes, readStrokes, writeStrokes } from "./strokes";
import type { OpenRecord } from "./useRecord";

type Signer = "borrower" | "collector";

/** The form's name. */
export const SIGNATURE = "signature";

const BLANK = { signer: "borrower" as Signer, by: "hand" as "hand" | "name", strokes: "", name: "", reason: "" };

export function SignaturePad(props: {
  record: OpenRecord;
  onClose: () => void;
  onDone: (picture: Blob, caption: string) => void;
}): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const pad = useRef<Pad | null>(null);
  const form = useForm(props.record, SIGNATURE, BLANK);
  const { signer, strokes, name, reason } = form.fields;
  const typed = form.fields.by === "name";
  const drawn = useRef(strokes);
  drawn.current = strokes;
  useEffect(() => {
    const surface = canvas.current;
    if (typed || !surface) return;
    // Device pixels, so that lines are smooth.
    const ratio = Math.max(devicePixelRatio, 1);
    surface.width = surface.offsetWidth * ratio;
    surface.height = surface.offsetHeight * ratio;
    surface.getContext("2d")?.scale(ratio, ratio);
    const next = new Pad(surface, { backgroundColor: "#fff", penColor: "#14211d" });
    drawStrokes(next, readStrokes(drawn.current), surface.offsetWidth);
    next.addEventListener("endStroke", () => form.set({ strokes: writeStrokes(next, surface.offsetWidth) }));
    pad.current = next;
    return () => next.off();
  }, [typed]);
  const ready = typed ? name.trim() !== "" && reason.trim() !== "" : strokes !== "";
  const who = signer === "borrower" ? t("attachment/by_borrower") : t("attachment/by_collector", { user: me.value });
  const done = async (): Promise<void> => {
    const surface = typed ? renderName(name.trim()) : canvas.current;
    const picture = surface && (await new Promise<Blob | null>((resolve) => surface.toBlob(resolve, "image/png")));
    if (picture) props.onDone(picture, typed ? `${who} – ${t("attachment/typed_because", { name, reason })}` : who);
  };
  // An empty signature leaves no draft.
  const close = (): void => {
    if (strokes === "" && name === "" && reason === "") form.set(BLANK);
    props.onClose();
  };
  return (
    <Dialog
      title={t("attachment/signature")}
      onClose={close}
      actions={
        <>
          <button type="button" class="btn btn-ghost" onClick={() => (form.discard(), props.onClose())}>
            {t("app/cancel")}
          </button>
          <button type="button" class="btn btn-primary" disabled={!ready} onClick={() => void done()}>
            {t("attachment/save")}
          </button>
        </>
      }
    >
      <Choices<Signer>
        label={t("attachment/signer")}
        options={["borrower", "collector"]}
        look="segments"
        word={(option) => t(`attachment/${option}`)}
        {...form.bind("signer")}
      />
      {typed ? (
        <>
          <TextField label={t("attachment/typed_name")} {...form.bind("name")} />
          <TextField label={t("attachment/typed_reason")} {...form.bind("reason")} />
          <Alert>{t("attachment/typed_text")}</Alert>
        </>
      ) : (
        <canvas
          ref={canvas}
          role="img"
          aria-label={t("attachment/pad")}
          class="rounded-field border-base-300 h-48 w-full touch-none border bg-white"
        />
      )}
      <div class="flex flex-wrap gap-2">
        {!typed && (
          <button
            type="button"
            class="btn btn-ghost"
            onClick={() => {
              pad.current?.clear();
              form.set({ strokes: "" });
            }}
          >
            {t("attachment/clear")}
          </button>
        )}
        <button type="button" class="btn btn-ghost" onClick={() => form.set({ by: typed ? "hand" : "name" })}>
          {t(typed ? "attachment/draw_instead" : "attachment/type_instead")}
        </button>
      </div>
    </Dialog>
  );
}

/** Renders a typed name as a picture, so that both kinds are stored alike. */
function renderName(name: string): HTMLCanvasElement {
  const surface = document.createElement("canvas");
  surface.width = 800;
  surface.height = 200;
  const context = surface.getContext("2d");
  if (context) {
    context.fillStyle = "#fff";
    context.fillRect(0, 0, surface.width, surface.height);
    context.fillStyle = "#14211d";
    context.font = "48px sans-serif";
    context.textBaseline = "middle";
    context.fillText(name, 24, 100, 752);
  }
  return surface;
}
