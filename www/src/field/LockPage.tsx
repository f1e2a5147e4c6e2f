/** The screen lock: the pages that ask for the PIN and let the user choose one, and its settings. */
import { Download, KeyRound, Lock as LockIcon } from "lucide-preact";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Secret, StartState } from "../core/api";
import { t } from "../i18n";
import { formatSpan } from "../ui/format";
import { Alert, Choices, Field, Select, useBusy } from "../ui/components";
import { IDLE_CHOICES, idleMinutes, lockNow, setIdleMinutes, type Idle } from "./autoLock";
import { SignInForm } from "./SignIn";
import { RotationStatus, RotateKeyOption } from "./KeyRotation";
import { client, enterSession, expired, explain, rotation, status } from "./state";

type Locked = Extract<StartState, { kind: "locked" }>;

/** The lock screen, which shows nothing of any record. */
export function LockPage({ state }: { state: Locked | null }): JSX.Element {
  const [forgotten, setForgotten] = useState(false);
  return (
    <LockFrame title={t("lock/locked")}>
      <p class="muted text-sm">{t("lock/lead")}</p>
      {state && state.ended !== null && (
        <Alert tone="warning">
          <p>{t(state.ended === "user_disabled" ? "revoked/user_disabled" : "revoked/device_revoked")}</p>
          <p>{t("lock/ended")}</p>
        </Alert>
      )}
      {state && state.unsent > 0 && <Alert>{t("lock/unsent", { n: state.unsent })}</Alert>}
      {forgotten ? (
        <>
          <p class="text-sm">{t("lock/forgotten_text")}</p>
          <SignInForm />
        </>
      ) : (
        state && <Unlock state={state} />
      )}
      {state && state.unsent > 0 && <SaveRescue />}
      {state && (
        <button type="button" class="btn btn-quiet" onClick={() => setForgotten(!forgotten)}>
          {t(forgotten ? "lock/back" : "lock/forgotten")}
        </button>
      )}
    </LockFrame>
  );
}

/** Saves unsent work as a file that only the office can decrypt. */
function SaveRescue(): JSX.Element {
  const [error, setError] = useState<string | null>(null);
  const save = async (): Promise<void> => {
    setError(null);
    try {
      const file = new Blob([(await client.rescue()) as BlobPart], { type: "application/octet-stream" });
      const link = document.createElement("a");
      link.href = URL.createObjectURL(file);
      link.download = `doorstep-${new Date().toISOString().slice(0, 10)}.rescue`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    } catch (cause) {
      setError(explain(cause));
    }
  };
  return (
    <>
      <button type="button" class="btn btn-quiet" onClick={() => void save()}>
        <Download class="size-5" aria-hidden="true" />
        {t("lock/rescue")}
      </button>
      <p class="muted text-sm">{t("lock/rescue_text")}</p>
      {error && <Alert tone="error">{error}</Alert>}
    </>
  );
}

function Unlock({ state }: { state: Locked }): JSX.Element {
  const [secret, setSecret] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [until, setUntil] = useState(performance.now() + state.wait);
  const left = useRemaining(until);
  const [busy, run] = useBusy();
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    setError(null);
    void run(async () => {
      try {
        await enterSession(await client.unlock(secret));
      } catch (cause) {
        setSecret("");
        setError(explain(cause));
        const now = await client.start().catch(() => null);
        if (now?.kind === "locked") setUntil(performance.now() + now.wait);
      }
    });
  };
  return (
    <form data-testid="unlock" class="flex flex-col gap-4" onSubmit={submit}>
      <SecretField label={t(`lock/${state.secret}`)} kind={state.secret} value={secret} onInput={setSecret} />
      {left > 0 ? (
        <Alert tone="warning">{t("lock/wait", { span: formatSpan(left) })}</Alert>
      ) : (
        error && <Alert tone="error">{error}</Alert>
      )}
      <button type="submit" class="btn btn-primary" disabled={busy || left > 0}>
        {busy ? t("lock/working") : t("lock/unlock")}
      </button>
    </form>
  );
}

/** The rest of a wait, in ms, rounded up to whole seconds. */
function useRemaining(until: number): number {
  const [now, setNow] = useState(performance.now());
  const left = Math.max(0, Math.ceil((until - now) / 1000) * 1000);
  useEffect(() => {
    setNow(performance.now());
    const timer = setInterval(() => setNow(performance.now()), 1000);
    return () => clearInterval(timer);
  }, [until]);
  return left;
}

/** Shown after a sign-in on a phone without a PIN, or with a forgotten one. */
export function ChoosePin(): JSX.Element {
  return (
    <LockFrame title={t("lock/choose")} testid="choose-pin">
      <p class="muted text-sm">{t("lock/choose_text")}</p>
      <NewSecretForm
        submit={t("lock/set")}
        onSet={async (secret, kind) => enterSession(await client.choosePin(secret, kind))}
      />
    </LockFrame>
  );
}

/** The screen lock section of the settings. */
export function LockSettings(): JSX.Element {
  const [changing, setChanging] = useState(false);
  const [changed, setChanged] = useState(false);
  const [current, setCurrent] = useState("");
  /** The office password, which key rotation needs; null if only the PIN changes. */
  const [password, setPassword] = useState<string | null>(null);
  useEffect(
    () =>
      void client.rotation().then(
        (state) => (rotation.value = state),
        () => undefined,
      ),
    [],
  );
  return (
    <div class="flex flex-col gap-4">
      <Select<Idle>
        label={t("lock/idle")}
        options={IDLE_CHOICES}
        value={idleMinutes.value}
        word={(minutes) => t("lock/minutes", { n: minutes })}
        onChange={(minutes) => minutes && setIdleMinutes(minutes)}
      />
      <div class="flex flex-wrap gap-2">
        <button type="button" class="btn btn-quiet grow" onClick={() => void lockNow()}>
          <LockIcon class="size-5" aria-hidden="true" />
          {t("lock/now")}
        </button>
        <button
          type="button"
          class="btn btn-quiet grow"
          aria-expanded={changing}
          onClick={() => {
            setChanged(false);
            setChanging(!changing);
          }}
        >
          <KeyRound class="size-5" aria-hidden="true" />
          {t("lock/change")}
        </button>
      </div>
      {(status.value?.unsent ?? 0) > 0 && <SaveRescue />}
      {changed && <Alert>{t("lock/changed")}</Alert>}
      <RotationStatus />
      {changing && (
        <NewSecretForm
          submit={t("lock/change")}
          onSet={async (secret, kind) => {
            await client.changePin(current, secret, kind, password ?? undefined);
            if (password !== null) expired.value = false;
            setCurrent("");
            setPassword(null);
            setChanging(false);
            setChanged(true);
          }}
        >
          <SecretField label={t("lock/current")} kind="phrase" value={current} onInput={setCurrent} />
          <RotateKeyOption password={password} onChange={setPassword} />
        </NewSecretForm>
      )}
    </div>
  );
}

function NewSecretForm(props: {
  submit: string;
  onSet: (secret: string, kind: Secret) => Promise<void>;
  children?: ComponentChildren;
}): JSX.Element {
  const [kind, setKind] = useState<Secret>("pin");
  const [secret, setSecret] = useState("");
  const [again, setAgain] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [busy, run] = useBusy();
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (secret !== again) {
      setError(t("lock/differ"));
      return;
    }
    setError(null);
    void run(async () => {
      try {
        await props.onSet(secret, kind);
      } catch (cause) {
        setError(explain(cause));
      }
    });
  };
  return (
    <form class="flex flex-col gap-4" onSubmit={submit}>
      {props.children}
      <Choices<Secret>
        label={t("lock/kind")}
        look="segments"
        options={["pin", "phrase"]}
        value={kind}
        word={(option) => t(`lock/${option}`)}
        onChange={setKind}
      />
      <SecretField
        label={t(`lock/new_${kind}`)}
        hint={t(`lock/${kind}_hint`)}
        isNew
        kind={kind}
        value={secret}
        onInput={setSecret}
      />
      <SecretField label={t("lock/again")} isNew kind={kind} value={again} onInput={setAgain} />
      {error && <Alert tone="error">{error}</Alert>}
      <button type="submit" class="btn btn-primary" disabled={busy}>
        {busy ? t("lock/setting") : props.submit}
      </button>
    </form>
  );
}

function SecretField(props: {
  label: string;
  hint?: string;
  kind: Secret;
  /** A new secret is being chosen, not an existing one entered. */
  isNew?: boolean;
  value: string;
  onInput: (secret: string) => void;
}): JSX.Element {
  return (
    <Field label={props.label} hint={props.hint}>
      {(id, note) => (
        <input
          id={id}
          aria-describedby={note}
          class="input w-full"
          type="password"
          inputMode={props.kind === "pin" ? "numeric" : undefined}
          autocomplete={props.isNew ? "new-password" : "off"}
          required
          value={props.value}
          onInput={(event) => props.onInput(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

function LockFrame(props: { title: string; testid?: string; children: ComponentChildren }): JSX.Element {
  return (
    <main data-testid={props.testid} class="mx-auto flex min-h-dvh max-w-md flex-col justify-center gap-6 p-5">
      <header class="flex flex-col items-center gap-2 text-center">
        <img src="/icons/icon.svg" alt="" width="56" height="56" class="size-14" />
        <h1 class="pt-1 text-2xl font-bold text-balance">{props.title}</h1>
      </header>
      <div class="card-plain flex flex-col gap-4 p-5">{props.children}</div>
    </main>
  );
}
