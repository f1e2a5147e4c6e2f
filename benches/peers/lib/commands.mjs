/** A step of the workload as Doorstep's commands, one for each screen of the app. */
const COMMANDS = {
  appointment: "edit_appointment",
  case: "update_case",
  talk: "edit_talk",
};

/** `view` is the record's view before the step. */
export function commandsOf(step, view) {
  const screens = new Map();
  for (const [path, value] of Object.entries(step.set)) {
    const [group, field] = path.split(".");
    screens.set(group, {
      ...screens.get(group),
      do: COMMANDS[group],
      [field]: value,
    });
  }
  const commands = [...screens.values()];
  if (step.append)
    commands.push({
      do: "edit_notes",
      base: view.heads,
      text: view.notes + step.append,
    });
  return commands;
}
