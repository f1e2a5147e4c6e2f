/** Key rotation in the settings: an option of the PIN change, and its progress. */
import type { JSX } from "preact";
import { problemText, t } from "../i18n";
import { formatDateTime } from "../ui/format";
import { Alert, Field } from "../ui/components";
import { rotation } from "./state";

/** `password` is null if the data key is not rotated. */
export function RotateKeyOption(props: {
  password: string | null;
  onChange: (password: string | null) => void;
}): JSX.Element {
  const { password, onChange } = props;
  const busy = rotation.value !== null && rotation.value.state !== "finished";
  return (
    <>
      <label class="flex min-h-11 cursor-pointer items-center gap-3">
        <input
          type="checkbox"
          class="checkbox min-h-0"
          checked={password !== null}
          disabled={busy}
          onChange={() => onChange(password === null ? "" : null)}
        />
        {t("lock/rotate")}
      </label>
      {password !== null && (
        <Field label={t("sign_in/password")} hint={t("lock/rotate_text")}>
          {(id, note) => (
            <input
              id={id}
              aria-describedby={note}
              class="input w-full"
              type="password"
              autocomplete="current-password"
              required
              value={password}
              onInput={(event) => onChange(event.currentTarget.value)}
            />
          )}
        </Field>
      )}
    </>
  );
}

export function RotationStatus(): JSX.Element | null {
  const state = rotation.value;
  if (!state) return null;
  return (
    <div data-testid="rotation" data-state={state.state} role="status">
      {state.state === "running" && <p class="text-sm">{t("lock/rotating", { n: state.done, m: state.total })}</p>}
      {state.state === "waiting" && (
        <Alert tone="warning">{t("lock/rotate_waits", { why: problemText(state.code) })}</Alert>
      )}
      {state.state === "finished" && <p class="text-sm">{t("lock/rotated", { when: formatDateTime(state.at) })}</p>}
    </div>
  );
}
