// Which kind of connector is to be created.

import { get } from "./api.js";
import { h, setChildren } from "./dom.js";
import { may, needs } from "./session.js";

export async function show(main, _, signal) {
  const heading = h("h1", { tabindex: "-1" }, "New connector");
  if (!may("admin")) {
    main.append(heading, needs("admin", "Creating a connector"));
    return "New connector";
  }
  const plugins = await get("/connector-plugins", signal);
  const list = h("ul", { class: "choices" });
  const text = h("input", { type: "search", autofocus: true, placeholder: "name of the class", "aria-label": "Filter connector classes", "data-filter": true, oninput: filter });
  const items = plugins.map((plugin) => ({
    plugin,
    element: h("li", {}, h("a", { href: `#/new/${encodeURIComponent(plugin.class)}` },
      h("strong", {}, plugin.class.split(".").at(-1)), h("span", {}, `${plugin.type} · ${plugin.version ?? ""} · ${plugin.class}`))),
  }));

  function filter() {
    const wanted = text.value.trim().toLowerCase();
    setChildren(list, items.filter(({ plugin }) => plugin.class.toLowerCase().includes(wanted)).map(({ element }) => element));
  }

  filter();
  main.append(h("div", { class: "bar" }, heading, h("div", { class: "filter" }, text)), list);
  return "New connector";
}
