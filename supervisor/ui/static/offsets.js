// How far a connector has read; changed while it is stopped.

import { get, path, send } from "./api.js";
import { connectorHead } from "./connector.js";
import { confirm, dialog } from "./dialogs.js";
import { h, newId } from "./dom.js";
import { watch } from "./live.js";
import { complain, clearComplaints, say } from "./messages.js";
import { may, needs } from "./session.js";
import { scrolling } from "./table.js";

export async function show(main, { name }, signal) {
  const head = connectorHead(name, "offsets", () => look());
  const content = h("div", {}, h("p", { class: "loading" }, "Kafka is being asked"));
  main.append(head.element, content);
  const where = path`/connectors/${name}/offsets`;
  let state = "";

  async function look() {
    const status = await get(path`/connectors/${name}/status`, signal);
    head.show(status);
    ({ state } = status.connector);
    const { offsets } = await get(where, signal);
    content.replaceChildren(...view(offsets, state, { change, forget, resetAll, add }), refreshButton());
  }

  function refreshButton() {
    return h("p", {}, h("button", { type: "button", onclick: () => look().catch((error) => complain(error.message)) }, "Look again"));
  }

  async function write(method, body) {
    clearComplaints();
    try {
      say((await send(method, where, body)).message);
      await look();
      return null;
    } catch (error) {
      return error.message;
    }
  }

  const change = (entry) => edit("Change an offset", entry, write);
  const add = () => edit("Write an offset", { partition: {}, offset: {} }, write, true);

  async function forget(entry) {
    if (!(await confirm("Forget this offset?", `${JSON.stringify(entry.partition)} will be read from its beginning.`, "Forget"))) return;
    const problem = await write("PATCH", { offsets: [{ partition: entry.partition, offset: null }] });
    if (problem !== null) complain(problem);
  }

  async function resetAll() {
    if (!(await confirm("Reset all offsets?", `${name} will begin anew: everything is read again.`, "Reset"))) return;
    const problem = await write("DELETE");
    if (problem !== null) complain(problem);
  }

  // The page is there at once; the offsets of a sink come from Kafka.
  head.refresh().then(look).catch((error) => {
    if (error.name !== "AbortError") content.replaceChildren(h("p", { class: "note bad", role: "alert" }, error.message), refreshButton());
  });
  watch(async () => {
    const before = state;
    const status = await get(path`/connectors/${name}/status`, signal);
    head.show(status);
    if (before !== "" && status.connector.state !== before) await look();
  }, signal, (error) => complain(error.message));
  return `${name}: offsets`;
}

function view(offsets, state, { change, forget, resetAll, add }) {
  const stopped = state === "STOPPED";
  const writable = stopped && may("admin");
  const parts = [];
  if (!may("admin")) parts.push(needs("admin", "Changing offsets"));
  else if (!stopped) parts.push(h("p", { class: "note" }, "Offsets can be changed while the connector is stopped."));
  else {
    parts.push(h("p", { class: "buttons" },
      h("button", { type: "button", onclick: add }, "Write an offset"),
      h("button", { type: "button", class: "danger", onclick: resetAll }, "Reset all")));
  }
  if (offsets.length === 0) return [...parts, h("p", { class: "note" }, "It has not read anything yet.")];
  const rows = offsets.map((entry) => h(
    "tr", {},
    h("th", { scope: "row" }, h("code", {}, JSON.stringify(entry.partition))),
    h("td", {}, h("code", {}, JSON.stringify(entry.offset))),
    writable ? h("td", {},
      h("button", { type: "button", class: "small", onclick: () => change(entry) }, "Change"), " ",
      h("button", { type: "button", class: "small", onclick: () => forget(entry) }, "Forget")) : null,
  ));
  const heads = ["Partition", "Offset", ...(writable ? ["Actions"] : [])];
  return [...parts, scrolling("Offsets", h(
    "table", {}, h("caption", { class: "unseen" }, "Offsets"),
    h("thead", {}, h("tr", {}, heads.map((title) => h("th", { scope: "col" }, title)))), h("tbody", {}, rows)))];
}

/** A dialog in which an offset is written as JSON; what is wrong with it is said beside it. */
function edit(title, entry, write, withPartition = false) {
  return dialog(title, (close) => {
    const problem = h("p", { class: "error", role: "alert", id: newId("problem") });
    const partition = area(entry.partition, problem);
    const offset = area(entry.offset, problem);
    partition.readOnly = !withPartition;

    async function save() {
      let body;
      try {
        body = { partition: JSON.parse(partition.value), offset: JSON.parse(offset.value) };
      } catch (error) {
        problem.textContent = `This is not JSON: ${error.message}`;
        return;
      }
      const refused = await write("PATCH", { offsets: [body] });
      if (refused === null) close();
      else problem.textContent = refused;
    }

    return [
      h("label", {}, "Partition", partition),
      h("label", {}, "Offset", offset),
      problem,
      h("p", { class: "buttons" },
        h("button", { type: "button", onclick: () => close() }, "Cancel"),
        h("button", { type: "button", class: "main", onclick: save }, "Write")),
    ];
  });
}

function area(value, problem) {
  const element = h("textarea", { rows: "3", spellcheck: "false", "aria-describedby": problem.id });
  element.value = JSON.stringify(value, null, 1);
  return element;
}
