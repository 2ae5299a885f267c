// Keys for those who do not want to reach for the mouse. Single letters, so they can be switched off (WCAG 2.1.4).

import { dialog } from "./dialogs.js";
import { h } from "./dom.js";

const OFF = "connectd.keys.off";

const everywhere = [
  { keys: "?", does: "List these keys", act: () => listKeys() },
  { keys: "g o", does: "Go to the overview", act: () => go("#/") },
  { keys: "g p", does: "Go to the plugins", act: () => go("#/plugins") },
  { keys: "n", does: "New connector", act: () => go("#/new") },
  { keys: "/", does: "Filter what is listed", act: () => document.querySelector("[data-filter]")?.focus() },
  { keys: "j", does: "To the next row", act: () => step(1) },
  { keys: "k", does: "To the row before", act: () => step(-1) },
  { keys: "t", does: "Theme: system, light, dark", act: () => globalThis.nextTheme() },
];
let here = [];
let begun = "";

/** The keys of the page that is shown now: `{keys, does, act}`. */
export function setPageKeys(keys) {
  here = keys;
}

/** To another page. */
export function go(hash) {
  location.hash = hash;
}

function step(by) {
  const links = [...document.querySelectorAll("main tbody th a, main tbody td:first-child a")];
  const row = document.activeElement?.closest("tr");
  const now = links.findIndex((link) => row !== null && link.closest("tr") === row);
  links[Math.max(0, Math.min(links.length - 1, now + by))]?.focus();
}

function onKey(event) {
  const writing = event.target.closest?.("input, textarea, select, dialog");
  if (writing || event.ctrlKey || event.metaKey || event.altKey || localStorage.getItem(OFF)) return;
  const pressed = begun ? `${begun} ${event.key}` : event.key;
  begun = "";
  const known = [...here, ...everywhere];
  const found = known.find((each) => each.keys === pressed);
  if (found !== undefined) {
    event.preventDefault();
    found.act();
  } else if (known.some((each) => each.keys.startsWith(`${event.key} `))) {
    begun = event.key;
  }
}

function listKeys() {
  const all = [...everywhere, ...here];
  const off = h("input", { type: "checkbox", onchange: (event) => {
    if (event.target.checked) localStorage.setItem(OFF, "1");
    else localStorage.removeItem(OFF);
  } });
  off.checked = localStorage.getItem(OFF) !== null;
  dialog("Keys", (close) => [
    h("dl", { class: "keys" }, all.map(({ keys, does }) => [
      h("dt", {}, keys.split(" ").map((key) => h("kbd", {}, key))),
      h("dd", {}, does),
    ]).flat()),
    h("p", {}, h("label", {}, off, " Switch these keys off")),
    h("p", { class: "buttons" }, h("button", { type: "button", autofocus: true, onclick: () => close() }, "Close")),
  ]);
}

/** Listen for keys from now on. */
export function begin() {
  document.addEventListener("keydown", onKey);
  document.getElementById("help").addEventListener("click", listKeys);
}
