// One key of a configuration in a form: its label, its value, what is known about it and what is wrong with it.

import { h, newId, setAttribute, setText } from "./dom.js";

const SECRET = /password|secret|token|credential/i;
const NUMBERS = ["INT", "SHORT", "LONG"];

/** `changed(value)` is called with each change, an empty text meaning that the key is not set. `fixed` cannot be changed. */
export function field(key, definition, { value, fixed, changed, remove }) {
  const id = newId("key");
  const [docId, errorId, listId] = [`${id}-doc`, `${id}-error`, `${id}-list`];
  const input = makeInput(key, definition, value);
  const options = h("datalist", { id: listId });
  const errors = h("ul", { class: "error", id: errorId });
  const secret = input.type === "password";
  let touched = false;

  for (const [name, each] of Object.entries({ id, name: key, "aria-describedby": `${docId} ${errorId}`, autocomplete: secret ? "new-password" : "off", spellcheck: "false" }))
    setAttribute(input, name, each);
  if (definition?.required) setAttribute(input, "aria-required", "true");
  if (fixed) {
    input.disabled = input.tagName === "SELECT";
    input.readOnly = true;
  }
  input.addEventListener("input", () => {
    touched = true;
    changed(input.value);
  });

  const title = definition !== null && definition.display_name !== key ? definition.display_name : null;
  const element = h(
    "div", { class: "field", "data-key": key },
    h("label", { for: id }, title === null ? null : `${title} `, h("code", {}, key),
      definition?.required ? h("span", { class: "required" }, " required") : null),
    h("div", { class: "entry" }, input, options,
      secret ? showButton(input, key) : null,
      remove === undefined ? null : h("button", { type: "button", class: "small", "aria-label": `Remove ${key}`, onclick: remove }, "Remove")),
    errors,
    h("p", { class: "about", id: docId }, about(definition)),
  );

  return {
    element, input,
    get value() { return input.value; },
    set value(text) { input.value = text; },
    /** Take what validation says; errors of what nobody has touched yet are shown only if `always`. */
    show(info, always) {
      const shown = touched || always ? info.errors : [];
      if ([...errors.children].map((each) => each.textContent).join("\n") !== shown.join("\n"))
        errors.replaceChildren(...shown.map((text) => h("li", {}, text)));
      setAttribute(input, "aria-invalid", shown.length > 0 ? "true" : null);
      const values = info.recommended_values.filter((each) => each !== null && each !== "");
      if (input.tagName === "INPUT" && values.length > 0) {
        setAttribute(input, "list", listId);
        if (options.childElementCount !== values.length) options.replaceChildren(...values.map((each) => h("option", { value: each })));
      }
      element.classList.toggle("invisible", !info.visible);
    },
    matches: (text) => `${key} ${title ?? ""} ${definition?.documentation ?? ""}`.toLowerCase().includes(text),
    focus: () => input.focus(),
  };
}

function makeInput(key, definition, value) {
  const given = value ?? "";
  const fallback = definition?.default_value ?? "";
  if (definition?.type === "BOOLEAN") {
    const known = ["", "true", "false"].includes(given) ? ["", "true", "false"] : ["", "true", "false", given];
    const element = h("select", {}, known.map((each) => h("option", { value: each }, each || `default: ${fallback || "none"}`)));
    element.value = given;
    return element;
  }
  if (definition?.type === "PASSWORD" || (definition === null && SECRET.test(key)))
    return h("input", { type: "password", value: given });
  if (given.includes("\n")) {
    const element = h("textarea", { rows: Math.min(8, given.split("\n").length + 1) });
    element.value = given;
    return element;
  }
  return h("input", {
    type: "text", value: given, placeholder: fallback,
    inputmode: NUMBERS.includes(definition?.type) ? "numeric" : null,
  });
}

function showButton(input, key) {
  const button = h("button", { type: "button", class: "small", "aria-label": `Show ${key}`, "aria-pressed": "false", onclick: () => {
    const hidden = input.type === "password";
    input.type = hidden ? "text" : "password";
    setText(button, hidden ? "Hide" : "Show");
    setAttribute(button, "aria-pressed", String(hidden));
  } }, "Show");
  return button;
}

function about(definition) {
  if (definition === null) return "The connector does not declare this key.";
  const facts = [
    definition.type.toLowerCase(),
    `${definition.importance.toLowerCase()} importance`,
    definition.required ? "required" : `default ${definition.default_value === null || definition.default_value === "" ? "none" : definition.default_value}`,
  ];
  return [h("span", { class: "facts" }, facts.join(" · ")), definition.documentation ? ` ${definition.documentation}` : ""];
}
