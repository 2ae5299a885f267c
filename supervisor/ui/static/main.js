// Which page is shown: the part of the address behind `#`. Pages are read when somebody opens them.

import { RequestError } from "./api.js";
import { h, setAttribute } from "./dom.js";
import { clearComplaints, complain } from "./messages.js";
import * as session from "./session.js";
import * as shortcuts from "./shortcuts.js";

// The first that fits is taken; `:name` is any text. Each module has `show(main, values, signal)`, which returns a title.
const PAGES = [
  ["", "overview", () => import("./overview.js")],
  ["plugins", "plugins", () => import("./plugins.js")],
  ["plugins/:class", "plugins", () => import("./plugin.js")],
  ["new", "new", () => import("./new.js")],
  ["new/:class", "new", () => import("./form.js")],
  ["connectors/:name", "overview", () => import("./tasks.js")],
  ["connectors/:name/config", "overview", () => import("./configuration.js")],
  ["connectors/:name/offsets", "overview", () => import("./offsets.js")],
  ["connectors/:name/logs", "overview", () => import("./logs.js")],
  ["connectors/:name/edit", "overview", () => import("./form.js")],
];

const main = document.getElementById("main");
let shown = new AbortController();

function find(hash) {
  const given = hash.replace(/^#\/?/, "").split("/");
  for (const [pattern, section, load] of PAGES) {
    const parts = pattern.split("/");
    if (parts.length !== given.length) continue;
    if (!parts.every((part, index) => (part.startsWith(":") ? given[index] !== "" : part === given[index]))) continue;
    const values = {};
    parts.forEach((part, index) => {
      if (part.startsWith(":")) values[part.slice(1)] = decodeURIComponent(given[index]);
    });
    return { section, load, values };
  }
  return null;
}

async function show({ moveFocus }) {
  shown.abort();
  shown = new AbortController();
  const { signal } = shown;
  const page = find(location.hash);
  if (page === null) {
    location.hash = "#/";
    return;
  }
  clearComplaints();
  shortcuts.setPageKeys([]);
  for (const link of document.querySelectorAll("[data-nav]"))
    setAttribute(link, "aria-current", link.dataset.nav === page.section ? "page" : null);
  try {
    const module = await page.load();
    const content = h("div", { class: "page" });
    const title = await module.show(content, page.values, signal);
    if (signal.aborted) return;
    main.replaceChildren(content);
    document.title = `${title} – connectd`;
    if (moveFocus) (content.querySelector("[autofocus]") ?? content.querySelector("h1") ?? main).focus();
  } catch (error) {
    if (!signal.aborted) showFailure(error);
  }
}

function showFailure(error) {
  const what = error instanceof RequestError ? error.message : `An error of this page: ${error.message}`;
  main.replaceChildren(h("h1", { tabindex: "-1" }, "This cannot be shown"), h("p", {}, what),
    h("p", {}, h("button", { type: "button", onclick: () => show({ moveFocus: true }) }, "Try again")));
  main.querySelector("h1").focus();
}

window.addEventListener("hashchange", () => show({ moveFocus: true }));
window.addEventListener("unhandledrejection", (event) => {
  // Whoever goes to another page waits for nothing on this one.
  if (event.reason?.name === "AbortError") event.preventDefault();
  else complain(event.reason?.message ?? String(event.reason));
});
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});

shortcuts.begin();
session.begin().then(() => show({ moveFocus: false }), showFailure);
