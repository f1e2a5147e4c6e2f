/** The card of what a record lacks. */
import { CircleCheck, CircleDashed } from "lucide-preact";
import type { JSX } from "preact";
import type { VisitView } from "../../wasm/doorstep";
import { t } from "../../i18n";
import type { AttachmentArrival } from "../api";
import { Card } from "../layout";
import { gapsOf } from "./gaps";
import { MarkButton } from "./marks";

export function Gaps(props: { view: VisitView; arrivals: AttachmentArrival[] | null }): JSX.Element {
  const gaps = gapsOf(props.view, props.arrivals);
  return (
    <Card title={gaps.length > 0 ? t("office/reading/gaps", { n: gaps.length }) : t("office/reading/gaps_title")}>
      {gaps.length === 0 ? (
        <p class="text-success flex items-center gap-2 text-sm">
          <CircleCheck class="size-4" aria-hidden="true" />
          {t("office/reading/no_gaps")}
        </p>
      ) : (
        <ul class="flex flex-col gap-0.5 text-sm" data-testid="gaps">
          {gaps.map(({ text, path }) => (
            <li key={text} class="flex min-h-7 items-start gap-2">
              <CircleDashed class="text-accent mt-1 size-4 shrink-0" aria-hidden="true" />
              <span class="grow py-0.5">{text}</span>
              {path && <MarkButton path={path} />}
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
