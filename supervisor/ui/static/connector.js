// What all pages of one connector share: its name and state, what can be done with it, and the ways to its other pages.

import { get, path, send } from "./api.js";
import { confirm } from "./dialogs.js";
import { h, setAttribute, setText } from "./dom.js";
import { complain, say, clearComplaints } from "./messages.js";
import { may } from "./session.js";
import { go, setPageKeys } from "./shortcuts.js";
import { badge, setState, worstOf } from "./states.js";

const TABS = [["", "Tasks"], ["config", "Configuration"], ["offsets", "Offsets"], ["logs", "Logs"]];

/** The address of a page of a connector. */
export function address(name, tab) {
  return `#/connectors/${encodeURIComponent(name)}${tab ? `/${tab}` : ""}`;
}

/** The head of a page; `show(status)` brings it up to date, `refresh()` looks by itself. `changed` is called after something
 * was done. */
export function connectorHead(name, tab, changed = () => {}) {
  const state = badge("UNASSIGNED");
  const facts = h("span", { class: "facts" });
  const buttons = [];
  let status = null;

  async function act(what, method, where, done) {
    clearComplaints();
    for (const { element } of buttons) element.disabled = true;
    try {
      await send(method, where);
      say(done);
      await refresh();
      await changed();
    } catch (error) {
      if (error.name !== "AbortError") complain(`${what}: ${error.message}`);
    } finally {
      for (const { element } of buttons) element.disabled = false;
      enable();
    }
  }

  const change = (verb, done) => () => act(verb, "PUT", path`/connectors/${name}` + `/${verb.toLowerCase()}`, done);
  const restart = (query, done) => () => act("Restart", "POST", path`/connectors/${name}/restart` + query, done);

  async function destroy() {
    const text = `The connector ${name} and its tasks end, and its configuration is gone. Its offsets stay: a connector of the same name goes on where this one ended.`;
    if (!(await confirm(`Delete ${name}?`, text, "Delete"))) return;
    await act("Delete", "DELETE", path`/connectors/${name}`, `${name} is deleted`);
  }

  function button(role, label, when, onclick, kind) {
    if (!may(role)) return null;
    const element = h("button", { type: "button", class: kind, onclick }, label);
    buttons.push({ element, when });
    return element;
  }

  const is = (...states) => () => states.includes(status?.connector.state);
  const not = (...states) => () => status !== null && !states.includes(status.connector.state);
  const hasFailed = () => status !== null && [status.connector, ...status.tasks].some((each) => each.state === "FAILED");

  function enable() {
    for (const { element, when } of buttons) element.hidden = !when();
  }

  function show(given) {
    status = given;
    setState(state, worstOf(status));
    const { version, worker_id: worker } = status.connector;
    setText(facts, [status.type, version, `on ${worker}`].filter(Boolean).join(" · "));
    enable();
  }

  async function refresh() {
    try {
      show(await get(path`/connectors/${name}/status`));
    } catch (error) {
      if (error.status !== 404) throw error;
      go("#/");
    }
  }

  const actions = h(
    "div", { class: "actions", role: "group", "aria-label": "Actions" },
    button("operate", "Restart what failed", hasFailed, restart("?includeTasks=true&onlyFailed=true", "What failed is being restarted"), "main"),
    button("operate", "Pause", not("PAUSED", "STOPPED"), change("Pause", `${name} is to pause`)),
    button("operate", "Resume", is("PAUSED", "STOPPED"), change("Resume", `${name} is to run`), "main"),
    button("operate", "Stop", not("STOPPED"), change("Stop", `${name} is to stop`)),
    button("operate", "Restart all", not("STOPPED"), restart("?includeTasks=true", "The connector and its tasks are being restarted")),
    button("operate", "Restart connector", not("STOPPED"), restart("", "The connector is being restarted")),
    button("admin", "Edit", () => true, () => go(address(name, "edit"))),
    button("admin", "Delete", () => true, destroy, "danger"),
  );
  const links = TABS.map(([each, title]) => {
    const link = h("a", { href: address(name, each) }, title);
    setAttribute(link, "aria-current", each === tab ? "page" : null);
    return link;
  });
  const element = h(
    "div", { class: "head" },
    h("p", { class: "crumbs" }, h("a", { href: "#/" }, "Overview"), " / "),
    h("div", { class: "bar" }, h("h1", { tabindex: "-1" }, name), state, facts, actions),
    h("nav", { class: "tabs", "aria-label": "Connector" }, links),
  );
  enable();
  setPageKeys(keys(name, () => status));

  function keys(connector, known) {
    const press = (label) => buttons.find(({ element: each }) => !each.hidden && each.textContent === label)?.element.click();
    const paused = () => ["PAUSED", "STOPPED"].includes(known()?.connector.state);
    return [
      { keys: "1", does: "Tasks", act: () => go(address(connector)) },
      { keys: "2", does: "Configuration", act: () => go(address(connector, "config")) },
      { keys: "3", does: "Offsets", act: () => go(address(connector, "offsets")) },
      { keys: "4", does: "Logs", act: () => go(address(connector, "logs")) },
      { keys: "e", does: "Edit", act: () => press("Edit") },
      { keys: "p", does: "Pause or resume", act: () => press(paused() ? "Resume" : "Pause") },
      { keys: "s", does: "Stop", act: () => press("Stop") },
      { keys: "r", does: "Restart what failed, or all", act: () => press(hasFailed() ? "Restart what failed" : "Restart all") },
    ];
  }

  return { element, show, refresh };
}
