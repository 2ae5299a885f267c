// One plugin: the keys that it declares.

import { get, path } from "./api.js";
import { h } from "./dom.js";
import { scrolling, table, textCell } from "./table.js";

export async function show(main, values, signal) {
  const name = values.class;
  const keys = await get(path`/connector-plugins/${name}/config`, signal);
  const found = table({
    caption: `Keys of ${name}`,
    key: (each) => each.name,
    before: (a, b) => Number(b.required) - Number(a.required) || (a.group ?? "").localeCompare(b.group ?? "") || a.order_in_group - b.order_in_group,
    columns: [
      { title: "Key", heads: true, sort: (each) => each.name, cell: (each) => ({ element: h("code", {}, each.name) }) },
      { title: "Type", sort: (each) => each.type, cell: textCell((each) => each.type.toLowerCase()) },
      { title: "Default", cell: textCell((each) => (each.required ? "required" : each.default_value ?? "none")) },
      { title: "Importance", sort: (each) => each.importance, cell: textCell((each) => each.importance.toLowerCase()) },
      { title: "Group", sort: (each) => each.group ?? "", cell: textCell((each) => each.group ?? "") },
      { title: "What it is", cell: textCell((each) => each.documentation, { class: "prose" }) },
    ],
  });
  const text = h("input", { type: "search", placeholder: "key or words", "aria-label": "Filter keys", "data-filter": true, oninput: filter });

  function filter() {
    const wanted = text.value.trim().toLowerCase();
    found.show(keys.filter((each) => `${each.name} ${each.documentation}`.toLowerCase().includes(wanted)));
  }

  filter();
  main.append(
    h("p", { class: "crumbs" }, h("a", { href: "#/plugins" }, "Plugins"), " / "),
    h("div", { class: "bar" }, h("h1", { tabindex: "-1" }, name), h("div", { class: "filter" }, text)),
    scrolling("Keys", found.element),
  );
  return name;
}
