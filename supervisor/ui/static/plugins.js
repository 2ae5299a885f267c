// The plugins of this worker.

import { get } from "./api.js";
import { h } from "./dom.js";
import { may } from "./session.js";
import { scrolling, table, textCell } from "./table.js";

export async function show(main, _, signal) {
  const plugins = await get("/connector-plugins?connectorsOnly=false", signal);
  const columns = [
    { title: "Class", heads: true, sort: (each) => each.class, cell: (each) => ({ element: h("a", { href: `#/plugins/${encodeURIComponent(each.class)}` }, each.class) }) },
    { title: "Type", sort: (each) => each.type, cell: textCell((each) => each.type) },
    { title: "Version", sort: (each) => each.version ?? "", cell: textCell((each) => each.version ?? "–") },
  ];
  if (may("admin")) columns.push({ title: "New", cell: newCell });
  const found = table({
    caption: "Plugins",
    key: (each) => `${each.class} ${each.type} ${each.version}`,
    before: (a, b) => rank(a) - rank(b) || a.class.localeCompare(b.class),
    columns,
  });
  const text = h("input", { type: "search", placeholder: "class or type", "aria-label": "Filter plugins", "data-filter": true, oninput: filter });

  function filter() {
    const wanted = text.value.trim().toLowerCase();
    found.show(plugins.filter((each) => `${each.class} ${each.type}`.toLowerCase().includes(wanted)));
  }

  filter();
  main.append(h("div", { class: "bar" }, h("h1", { tabindex: "-1" }, "Plugins"), h("div", { class: "filter" }, text)), scrolling("Plugins", found.element));
  return "Plugins";
}

const isConnector = (plugin) => plugin.type === "source" || plugin.type === "sink";
const rank = (plugin) => (isConnector(plugin) ? 0 : 1);

function newCell(plugin) {
  if (!isConnector(plugin)) return { element: h("span", {}) };
  return { element: h("a", { href: `#/new/${encodeURIComponent(plugin.class)}`, "aria-label": `New connector of ${plugin.class}` }, "new connector") };
}
