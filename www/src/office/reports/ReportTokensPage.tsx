/** Tokens with which Excel and Power BI read the records, and how to connect them. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { t } from "../../i18n";
import { Alert, TextField } from "../../ui/components";
import { formatDateTime } from "../../ui/format";
import { api, type NewReportToken, type ReportTokenLine } from "../api";
import { Card, PageTitle } from "../layout";
import { explain } from "../state";
import { useRequest } from "../useRequest";

const ADDRESS = `${location.origin}/odata/v4`;

export function ReportTokensPage(): JSX.Element {
  const [tokens, setTokens] = useState<ReportTokenLine[] | null>(null);
  const [made, setMade] = useState<NewReportToken | null>(null);
  const [name, setName] = useState("");
  const [failed, setFailed] = useState<string | null>(null);
  const load = (): void => void api.reportTokens().then(setTokens, (cause: unknown) => setFailed(explain(cause)));
  useEffect(load, []);
  const { busy, error, send } = useRequest(load);
  return (
    <div class="flex max-w-3xl flex-col gap-4">
      <PageTitle>{t("office/odata/title")}</PageTitle>
      <Card title={t("office/odata/connect")}>
        <p>{t("office/odata/lead")}</p>
        <p>
          {t("office/odata/address")} <code data-testid="odata-address">{ADDRESS}</code>
        </p>
        <ol class="list-decimal pl-5">
          <li>{t("office/odata/step_token")}</li>
          <li>{t("office/odata/step_open")}</li>
          <li>{t("office/odata/step_sign_in")}</li>
        </ol>
      </Card>
      <Card title={t("office/odata/tokens")}>
        <form
          class="flex flex-wrap items-end gap-2"
          onSubmit={(event) => {
            event.preventDefault();
            send(async () => {
              setMade(await api.addReportToken(name));
              setName("");
            });
          }}
        >
          <TextField label={t("office/odata/name")} value={name} onInput={setName} />
          <button type="submit" class="btn btn-primary" disabled={busy || !name.trim()}>
            {t("office/odata/add")}
          </button>
        </form>
        {made && (
          <Alert tone="warning">
            <p>{t("office/odata/shown_once", { name: made.token.name })}</p>
            <code class="break-all" data-testid="report-secret">
              {made.secret}
            </code>
          </Alert>
        )}
        {(error ?? failed) && <Alert tone="error">{error ?? failed}</Alert>}
        {tokens?.length === 0 && <p class="muted text-sm">{t("office/odata/none")}</p>}
        <ul class="divide-base-300 flex flex-col divide-y">
          {tokens?.map((token) => (
            <li key={token.id} class="flex flex-wrap items-center gap-x-4 py-1" data-testid="report-token">
              <span class="font-medium">{token.name}</span>
              <span class="muted grow text-sm">
                {token.used_at === null
                  ? t("office/odata/unused")
                  : t("office/odata/used", { at: formatDateTime(token.used_at) })}
                {" · "}
                {t("office/odata/expires", { at: formatDateTime(token.expires_at) })}
              </span>
              <button
                type="button"
                class="btn btn-ghost"
                aria-label={t("office/odata/revoke_of", { name: token.name })}
                disabled={busy}
                onClick={() =>
                  send(async () => {
                    await api.revokeReportToken(token.id);
                    if (made?.token.id === token.id) setMade(null);
                  })
                }
              >
                {t("office/odata/revoke")}
              </button>
            </li>
          ))}
        </ul>
      </Card>
    </div>
  );
}
