/** How good the position of a visit is as evidence, under the arrival. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Position, PositionCheck, VisitView } from "../wasm/doorstep";
import { positionText } from "../ui/position";
import { client } from "./state";

/** Positions of this session's check-ins, to compare speeds; in memory only, never a trail. */
const fixes = new Map<string, Position>();
const MAX_FIXES = 10;

export function PositionGrade({ view }: { view: VisitView }): JSX.Element | null {
  const { position } = view.visit;
  const [check, setCheck] = useState<PositionCheck | null>(null);
  useEffect(() => {
    if (!position) return;
    fixes.set(view.id, position);
    for (const oldest of fixes.keys()) if (fixes.size > MAX_FIXES) fixes.delete(oldest);
    const others = [...fixes].filter(([id]) => id !== view.id).map(([, fix]) => fix);
    client.checkPosition(view.id, others).then(setCheck, () => undefined);
  }, [view.id, view.heads.join()]);
  if (!check) return null;
  const doubtful = check.grade === "attested";
  return (
    <span
      data-testid="position-grade"
      data-grade={check.grade}
      class={`block text-sm ${doubtful ? "text-error font-medium" : "muted"}`}
    >
      {positionText(check)}
    </span>
  );
}
