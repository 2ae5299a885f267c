// The states of connectors and tasks: a sign, a word and a colour each, and which one is worse.

import { h } from "./dom.js";

const SIGNS = { RUNNING: "●", FAILED: "✕", RESTARTING: "↻", UNASSIGNED: "○", PAUSED: "‖", STOPPED: "■" };

// The worst first.
export const STATES = ["FAILED", "RESTARTING", "UNASSIGNED", "RUNNING", "PAUSED", "STOPPED"];

export function badge(state) {
  const element = h("span", { class: "state" });
  setState(element, state);
  return element;
}

export function setState(element, state) {
  if (element.dataset.state === state) return;
  element.dataset.state = state;
  element.replaceChildren(h("span", { "aria-hidden": "true" }, SIGNS[state] ?? "?"), ` ${state.toLowerCase()}`);
}

/** The worst of a connector's state and those of its tasks, which are counted by state. */
export function worst(connector) {
  return STATES.find((state) => connector.state === state || connector.tasks[state] > 0) ?? connector.state;
}

/** The same of a connector as `/connectors/X/status` tells it. */
export function worstOf(status) {
  const states = [status.connector, ...status.tasks].map((unit) => unit.state);
  return STATES.find((state) => states.includes(state)) ?? status.connector.state;
}

/** "4/4", or "3/4, 1 failed". */
export function tasksText(tasks) {
  const all = Object.values(tasks).reduce((sum, each) => sum + each, 0);
  const others = STATES.filter((state) => state !== "RUNNING" && tasks[state] > 0);
  const text = `${tasks.RUNNING ?? 0}/${all}`;
  return [text, ...others.map((state) => `${tasks[state]} ${state.toLowerCase()}`)].join(", ");
}
