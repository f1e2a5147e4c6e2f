/** "Sign in with …", and why that did not work. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { errorText, t } from "../i18n";
import type { EnrolledDevice } from "../core/api";
import { askForProvider, cameBack, leave, provider } from "./openid";
import { Alert, useBusy } from "./components";

export function OpenIdButton(props: {
  door: "field" | "office";
  enrolled?: () => Promise<EnrolledDevice | undefined>;
}): JSX.Element {
  const [error, setError] = useState(cameBack.value);
  const [busy, run] = useBusy();
  useEffect(() => {
    cameBack.value = null;
    void askForProvider();
  }, []);
  const go = (): Promise<void> =>
    run(async () => {
      setError(null);
      const word = await leave(props.door, await props.enrolled?.());
      if (word) setError(word);
    });
  return (
    <>
      {error && <Alert tone="error">{errorText(error)}</Alert>}
      {provider.value !== null && (
        <button type="button" class="btn btn-outline" disabled={busy} onClick={() => void go()}>
          {t("sign_in/with", { provider: provider.value })}
        </button>
      )}
    </>
  );
}
