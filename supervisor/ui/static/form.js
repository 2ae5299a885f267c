// Creates a connector, or gives one another configuration: a form made of what its plugins declare, validated while it is
// filled in.

import { get, path, send } from "./api.js";
import { address } from "./connector.js";
import { h, setAttribute, setChildren, setText } from "./dom.js";
import { field } from "./field.js";
import { plural } from "./format.js";
import { clearComplaints, complain, say } from "./messages.js";
import { may, needs } from "./session.js";
import { go } from "./shortcuts.js";

const CLASS = "connector.class";
const OWN_GROUP = "The connector";
const OTHER_GROUP = "Other keys";
const SETTLES_MS = 400;

export async function show(main, values, signal) {
  const creates = values.name === undefined;
  const title = creates ? `New ${values.class.split(".").at(-1)}` : `Edit ${values.name}`;
  const heading = h("h1", { tabindex: "-1" }, title);
  if (!may("admin")) {
    main.append(heading, needs("admin", creates ? "Creating a connector" : "Changing a configuration"));
    return title;
  }
  const before = creates ? { name: "", [CLASS]: values.class } : await get(path`/connectors/${values.name}/config`, signal);
  const form = connectorForm(before, creates, signal);
  main.append(
    h("p", { class: "crumbs" }, creates
      ? h("a", { href: "#/new" }, "New connector")
      : h("a", { href: address(values.name) }, values.name), " / "),
    heading, form.element,
  );
  await form.validate();
  return title;
}

function connectorForm(before, creates, signal) {
  const config = { ...before };
  const fields = new Map();
  const groups = new Map();
  let submitted = !creates;
  let latest = null;
  let timer = null;
  let running = 0;

  const summary = h("div", { class: "problems", role: "alert", tabindex: "-1", hidden: true });
  const everything = h("input", { type: "checkbox", onchange: arrange });
  const allLabel = h("span", {}, " all keys");
  const text = h("input", { type: "search", placeholder: "key or words", "aria-label": "Filter keys", "data-filter": true, oninput: arrange });
  const asJson = h("textarea", { class: "json", rows: "24", spellcheck: "false", "aria-label": "Configuration as JSON", hidden: true });
  const jsonButton = h("button", { type: "button", onclick: toggleJson }, "As JSON");
  const groupList = h("div", {});
  const status = h("p", { class: "note", role: "status" });
  const state = h("select", {}, ["RUNNING", "PAUSED", "STOPPED"].map((each) => h("option", { value: each }, each.toLowerCase())));
  const save = h("button", { type: "submit", class: "main" }, creates ? "Create" : "Save");
  const element = h(
    "form", { novalidate: true },
    h("div", { class: "bar filter" }, text, h("label", {}, everything, allLabel), jsonButton),
    summary, groupList, addKey(), asJson,
    h("div", { class: "bar foot" }, save, creates ? h("label", {}, "Begin as ", state) : null,
      h("button", { type: "button", onclick: cancel }, "Cancel"), status),
  );
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });

  // --- validation ----------------------------------------------------------------------------------------------------

  function soon() {
    clearTimeout(timer);
    timer = setTimeout(() => validate(), SETTLES_MS);
    tellChanges();
  }

  /** Ask the worker what it says about the configuration; true if nothing is wrong with it. */
  async function validate() {
    clearTimeout(timer);
    running += 1;
    const turn = running;
    let infos;
    try {
      infos = await send("PUT", path`/connector-plugins/${config[CLASS]}/config/validate`, config);
    } catch (error) {
      if (!signal.aborted && turn === running) complain(`The configuration cannot be validated: ${error.message}`);
      return false;
    }
    if (signal.aborted || turn !== running) return false;
    clearComplaints();
    latest = infos;
    update();
    return infos.error_count === 0;
  }

  function update() {
    for (const { definition, value } of latest.configs) {
      const key = definition?.name ?? value?.name;
      if (!fields.has(key)) addField(key, definition);
      if (value !== null) fields.get(key).view.show(value, submitted);
    }
    const known = new Set(latest.configs.map(({ definition, value }) => definition?.name ?? value?.name));
    for (const [key, { view }] of [...fields]) {
      if (known.has(key) || key in config) continue;
      view.element.remove();
      fields.delete(key);
    }
    for (const key of Object.keys(config)) if (!fields.has(key)) addField(key, null);
    setText(allLabel, ` all ${fields.size} keys`);
    arrange();
    tellErrors();
    tellChanges();
  }

  // --- fields --------------------------------------------------------------------------------------------------------

  function addField(key, definition) {
    const view = field(key, definition, {
      value: config[key],
      fixed: key === "name" && !creates,
      changed: (value) => {
        if (value === "") delete config[key];
        else config[key] = value;
        soon();
      },
      remove: definition === null ? () => { delete config[key]; soon(); } : undefined,
    });
    const group = groupOf(definition);
    fields.set(key, { view, definition, group });
    if (!groups.has(group)) groups.set(group, h("fieldset", {}, h("legend", {}, group)));
    groups.get(group).append(view.element);
  }

  function groupOf(definition) {
    if (definition === null) return OTHER_GROUP;
    return definition.name === "name" || definition.group === null ? OWN_GROUP : definition.group;
  }

  /** What is required, important, set or wrong is always there, all else on request. */
  function arrange() {
    const wanted = text.value.trim().toLowerCase();
    const wrong = new Set(wrongKeys());
    const shownGroups = new Set();
    for (const [key, { view, definition, group }] of fields) {
      const matters = definition === null || definition.required || definition.importance === "HIGH" || key in config || wrong.has(key);
      const shown = wanted ? view.matches(wanted) : everything.checked || matters;
      view.element.hidden = !shown;
      if (shown) shownGroups.add(group);
    }
    const order = [OWN_GROUP, ...(latest?.groups ?? []), OTHER_GROUP];
    const place = (group) => (order.includes(group) ? order.indexOf(group) : order.length - 1.5);
    setChildren(groupList, [...groups.keys()].sort((a, b) => place(a) - place(b)).map((group) => groups.get(group)));
    for (const [group, view] of groups) view.hidden = !shownGroups.has(group);
  }

  function addKey() {
    const key = h("input", { type: "text", placeholder: "another key", "aria-label": "Another key", spellcheck: "false", autocomplete: "off" });
    const add = () => {
      const name = key.value.trim();
      if (name === "") return;
      if (!fields.has(name)) addField(name, null);
      key.value = "";
      const { view } = fields.get(name);
      config[name] ??= view.value;
      arrange();
      view.focus();
    };
    key.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      add();
    });
    return h("div", { class: "bar" }, key, h("button", { type: "button", onclick: add }, "Add key"));
  }

  // --- JSON ----------------------------------------------------------------------------------------------------------

  function toggleJson() {
    if (asJson.hidden) {
      asJson.value = JSON.stringify(config, null, 2);
    } else if (!takeJson()) return;
    asJson.hidden = !asJson.hidden;
    groupList.hidden = !asJson.hidden;
    setText(jsonButton, asJson.hidden ? "As JSON" : "As form");
    if (!asJson.hidden) asJson.focus();
  }

  /** What was written as JSON: a map of keys, or as in the REST API with `name` and `config`. */
  function takeJson() {
    let given;
    try {
      given = JSON.parse(asJson.value);
    } catch (error) {
      complain(`This is not JSON: ${error.message}`);
      asJson.focus();
      return false;
    }
    if (typeof given.config === "object") given = { name: given.name, ...given.config };
    for (const key of Object.keys(config)) delete config[key];
    for (const [key, value] of Object.entries(given)) if (value !== null && value !== undefined) config[key] = String(value);
    fields.clear();
    groups.clear();
    validate();
    return true;
  }

  // --- saving --------------------------------------------------------------------------------------------------------

  function wrongKeys() {
    return (latest?.configs ?? []).filter(({ value }) => value?.errors.length > 0).map(({ definition, value }) => definition?.name ?? value.name);
  }

  function tellErrors() {
    const wrong = submitted ? wrongKeys() : [];
    summary.hidden = wrong.length === 0;
    const links = wrong.map((key) => h("li", {}, h("button", { type: "button", class: "link", onclick: () => fields.get(key).view.focus() }, key)));
    summary.replaceChildren(h("p", {}, `${plural(wrong.length, "key")} must be corrected:`), h("ul", {}, links));
  }

  function changedKeys() {
    return [...new Set([...Object.keys(before), ...Object.keys(config)])].filter((key) => before[key] !== config[key]);
  }

  function tellChanges() {
    const keys = creates ? [] : changedKeys();
    for (const [key, { view }] of fields) view.element.classList.toggle("changed", keys.includes(key));
    if (!creates) setText(status, keys.length === 0 ? "Nothing is changed." : `Changed: ${keys.join(", ")}`);
  }

  async function submit() {
    if (!asJson.hidden) toggleJson();
    if (!asJson.hidden) return;
    submitted = true;
    clearComplaints();
    save.disabled = true;
    setAttribute(save, "aria-busy", "true");
    try {
      if (!(await validate())) {
        if (!summary.hidden) summary.focus();
        return;
      }
      const { name } = config;
      if (creates) await send("POST", "/connectors", { name, config, initial_state: state.value });
      else await send("PUT", path`/connectors/${name}/config`, config);
      say(creates ? `${name} is created` : `${name} has a new configuration`);
      go(address(name));
    } catch (error) {
      complain(error.message);
    } finally {
      save.disabled = false;
      setAttribute(save, "aria-busy", null);
    }
  }

  function cancel() {
    go(creates ? "#/new" : address(before.name));
  }

  return { element, validate };
}
