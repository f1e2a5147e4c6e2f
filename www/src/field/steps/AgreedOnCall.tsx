/** After a call that reached the borrower: a visit that was agreed to on it, in one tap. */
import { CalendarCheck2 } from "lucide-preact";
import type { JSX } from "preact";
import { Link, useLocation } from "wouter-preact";
import type { AppointmentProposal, VisitView } from "../../wasm/doorstep";
import { t } from "../../i18n";
import { useBusy } from "../../ui/components";
import { isUnderWay } from "../conduct/DepartureCheck";
import { clock, me } from "../state";
import type { OpenRecord } from "../useRecord";
import { HOUR_MS, proposalUndo } from "./AppointmentStep";

/** A call that has just ended; later, the appointment's own form is the place. */
const JUST_ENDED_MS = 15 * 60_000;

/** Whether the user has just spoken to the borrower and no appointment exists. */
function mayAgree(view: VisitView): boolean {
  const last = view.contacts.at(-1);
  return (
    last?.by === me.value &&
    last.channel === "call" &&
    last.outcome === "reached" &&
    last.target_role === "borrower" &&
    last.at > clock.value - JUST_ENDED_MS &&
    view.appointment.status === null &&
    view.case.address.trim() !== "" &&
    !isUnderWay(view)
  );
}

export function AgreedOnCall({ record }: { record: OpenRecord }): JSX.Element | null {
  const { view, apply, applyWithUndo, drafts } = record;
  const [, go] = useLocation();
  const [busy, run] = useBusy();
  // A draft has what the borrower asked for: it is not overtaken.
  if (!mayAgree(view) || drafts.byForm.has("appointment")) return null;
  const agree = (): Promise<void> =>
    run(async () => {
      const starts_at = Date.now();
      const proposal: AppointmentProposal = {
        starts_at,
        ends_at: starts_at + HOUR_MS,
        place: view.case.address,
        proposed_by: "collector",
        borrower_remark: "",
      };
      if (!(await apply({ do: "propose_appointment", ...proposal }))) return;
      const undo = [proposalUndo(proposal)];
      if (await applyWithUndo({ do: "answer_appointment", status: "agreed" }, t("contact/agreed"), undo))
        go(`/visit/${view.id}/on_site`, { replace: true });
    });
  return (
    <section class="card-plain flex flex-col gap-3">
      <h3 class="section-title">{t("contact/agreed_title")}</h3>
      <button type="button" class="btn btn-tonal h-auto py-2" disabled={busy} onClick={() => void agree()}>
        <CalendarCheck2 class="size-5 shrink-0" aria-hidden="true" />
        {t("contact/agreed_now")}
      </button>
      <Link href={`/visit/${view.id}/appointment`} replace class="btn btn-quiet">
        {t("contact/agreed_later")}
      </Link>
    </section>
  );
}
