// The configuration of a connector and of its tasks, to read.

import { get, path } from "./api.js";
import { address, connectorHead } from "./connector.js";
import { h } from "./dom.js";
import { watch } from "./live.js";
import { complain } from "./messages.js";
import { may } from "./session.js";
import { scrolling } from "./table.js";

export async function show(main, { name }, signal) {
  const head = connectorHead(name, "config");
  const [info, topics] = await Promise.all([
    get(path`/connectors/${name}`, signal),
    get(path`/connectors/${name}/topics`, signal).catch(() => null), // tracking may be switched off
    head.refresh(),
  ]);
  const used = topics?.[name]?.topics ?? [];
  main.append(
    head.element,
    h("div", { class: "bar" }, h("h2", {}, "Configuration"), may("admin") ? h("a", { class: "button", href: address(name, "edit") }, "Edit") : null),
    scrolling("Configuration", keysTable(info.config)),
    h("h2", {}, "Topics that it has used"),
    used.length > 0 ? h("ul", { class: "plain" }, used.map((topic) => h("li", {}, h("code", {}, topic)))) : h("p", { class: "note" }, "None so far."),
  );
  watch(head.refresh, signal, (error) => complain(error.message));
  return `${name}: configuration`;
}

function keysTable(config) {
  const rows = Object.entries(config).sort(([a], [b]) => a.localeCompare(b));
  return h(
    "table", { class: "keys" },
    h("caption", { class: "unseen" }, "Configuration"),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Key"), h("th", { scope: "col" }, "Value"))),
    h("tbody", {}, rows.map(([key, value]) => h("tr", {}, h("th", { scope: "row" }, h("code", {}, key)), h("td", {}, h("code", {}, value))))),
  );
}
