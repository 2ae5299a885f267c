// What was done and what went wrong: in a region that is read aloud, where it can be seen from everywhere on the page.

import { h } from "./dom.js";

const STAYS_MS = 6000;

const region = document.getElementById("messages");

/** Something was done; the message goes away by itself. */
export function say(text) {
  const message = show("done", text);
  setTimeout(() => message.remove(), STAYS_MS);
}

/** Something went wrong; the message stays until it is closed, or something else is tried. What is said already is not said
 * again. */
export function complain(text) {
  if (region.querySelector(".wrong p")?.textContent === text) return;
  clearComplaints();
  show("wrong", text, "alert");
}

export function clearComplaints() {
  for (const message of region.querySelectorAll(".wrong")) message.remove();
}

function show(kind, text, role) {
  const close = h("button", { type: "button", class: "quiet", "aria-label": "Close this message" }, "✕");
  const message = h("div", { class: `message ${kind}`, role }, h("p", {}, text), close);
  close.addEventListener("click", () => message.remove());
  region.append(message);
  return message;
}
