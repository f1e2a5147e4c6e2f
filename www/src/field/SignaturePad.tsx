/** A signature by finger, or, where a hand can't, a typed name with the reason. */
import Pad from "signature_pad";
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../i18n";
import { Alert, Choices, Dialog, TextField } from "../ui/parts";
import { me } from "./state";

type Signer = "borrower" | "collector";

export function SignaturePad(props: {
  onClose: () => void;
  onDone: (picture: Blob, caption: string) => void;
}): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const pad = useRef<Pad | null>(null);
  const [signer, setSigner] = useState<Signer>("borrower");
  const [typed, setTyped] = useState(false);
  const [name, setName] = useState("");
  const [reason, setReason] = useState("");
  const [empty, setEmpty] = useState(true);
  useEffect(() => {
    const paper = canvas.current;
    if (typed || !paper) return;
    // As many pixels as the screen has, so that lines are smooth.
    const ratio = Math.max(devicePixelRatio, 1);
    paper.width = paper.offsetWidth * ratio;
    paper.height = paper.offsetHeight * ratio;
    paper.getContext("2d")?.scale(ratio, ratio);
    const next = new Pad(paper, { backgroundColor: "#fff", penColor: "#14211d" });
    next.addEventListener("endStroke", () => setEmpty(next.isEmpty()));
    pad.current = next;
    setEmpty(true);
    return () => next.off();
  }, [typed]);
  const ready = typed ? name.trim() !== "" && reason.trim() !== "" : !empty;
  const who = signer === "borrower" ? t("att/by_borrower") : t("att/by_collector", { user: me.value });
  const done = async (): Promise<void> => {
    const paper = typed ? written(name.trim()) : canvas.current;
    const picture = paper && (await new Promise<Blob | null>((resolve) => paper.toBlob(resolve, "image/png")));
    if (picture) props.onDone(picture, typed ? `${who} – ${t("att/typed_because", { name, reason })}` : who);
  };
  return (
    <Dialog
      title={t("att/signature")}
      onClose={props.onClose}
      actions={
        <>
          <button type="button" class="btn btn-ghost" onClick={props.onClose}>
            {t("app/cancel")}
          </button>
          <button type="button" class="btn btn-primary" disabled={!ready} onClick={() => void done()}>
            {t("att/take")}
          </button>
        </>
      }
    >
      <Choices<Signer>
        label={t("att/who")}
        options={["borrower", "collector"]}
        value={signer}
        look="segments"
        word={(option) => t(`att/${option}`)}
        onChange={setSigner}
      />
      {typed ? (
        <>
          <TextField label={t("att/typed_name")} value={name} onInput={setName} />
          <TextField label={t("att/typed_reason")} value={reason} onInput={setReason} />
          <Alert>{t("att/typed_text")}</Alert>
        </>
      ) : (
        <canvas
          ref={canvas}
          role="img"
          aria-label={t("att/pad")}
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
              setEmpty(true);
            }}
          >
            {t("att/clear")}
          </button>
        )}
        <button type="button" class="btn btn-ghost" onClick={() => setTyped(!typed)}>
          {t(typed ? "att/draw_instead" : "att/type_instead")}
        </button>
      </div>
    </Dialog>
  );
}

/** A typed name as a picture, so that both kinds are kept alike. */
function written(name: string): HTMLCanvasElement {
  const paper = document.createElement("canvas");
  paper.width = 800;
  paper.height = 200;
  const context = paper.getContext("2d");
  if (context) {
    context.fillStyle = "#fff";
    context.fillRect(0, 0, paper.width, paper.height);
    context.fillStyle = "#14211d";
    context.font = "48px sans-serif";
    context.textBaseline = "middle";
    context.fillText(name, 24, 100, 752);
  }
  return paper;
}
