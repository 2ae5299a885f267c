// Who looks at the page, and what they may do: the same roles as in the REST API.

import { get } from "./api.js";
import { h } from "./dom.js";

const LEVELS = { read: 1, operate: 2, admin: 3 };

let me = { user: "", role: "read" };

export async function begin() {
  me = await get("/connectd/v1/me");
  const name = me.user === "anonymous" ? "" : `${me.user}, `;
  document.getElementById("who").textContent = `${name}role ${me.role}`;
  for (const element of document.querySelectorAll("[data-role]")) element.hidden = !may(element.dataset.role);
}

/** Whether the one who looks has a role: `read`, `operate` or `admin`. */
export function may(role) {
  return LEVELS[me.role] >= LEVELS[role];
}

/** What to show instead of what only those with another role can do. */
export function needs(role, what) {
  return h("p", { class: "note" }, `${what} needs the role ${role}. You have the role ${me.role}.`);
}
