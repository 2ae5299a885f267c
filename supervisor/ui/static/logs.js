// What a connector and its tasks log, as it comes.

import { get, open, path } from "./api.js";
import { connectorHead } from "./connector.js";
import { h } from "./dom.js";
import { moment } from "./format.js";
import { watch } from "./live.js";
import { complain } from "./messages.js";

const KEPT = 2000;
const FIRST = 300;
const LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
const AGAIN_MS = 2000;

export async function show(main, { name }, signal) {
  const head = connectorHead(name, "logs");
  await head.refresh();
  const status = await get(path`/connectors/${name}/status`, signal);
  const lines = linesView();
  const note = h("p", { class: "note", role: "status" });
  let following = null;

  const task = select("Whose lines", [["", "connector and tasks"], ...status.tasks.map(({ id }) => [String(id), `task ${id}`])], restart);
  const level = select("Level", [["", "all levels"], ...LEVELS.map((each) => [each, `${each} and above`])], restart);
  const text = h("input", { type: "search", placeholder: "text", "aria-label": "Filter lines", "data-filter": true, oninput: () => lines.filter(text.value) });
  const follow = h("input", { type: "checkbox", checked: true, onchange: () => (follow.checked ? restart() : following?.abort()) });
  main.append(
    head.element,
    h("div", { class: "filter" }, task, level, text, h("label", {}, follow, " follow"),
      h("button", { type: "button", onclick: () => lines.clear() }, "Clear")),
    note, lines.element,
  );

  function where(query) {
    const parameters = new URLSearchParams(query);
    if (level.value) parameters.set("level", level.value);
    const base = task.value === ""
      ? path`/connectd/v1/connectors/${name}/logs`
      : path`/connectd/v1/connectors/${name}/tasks/${task.value}/logs`;
    return `${base}?${parameters}`;
  }

  function restart() {
    following?.abort();
    following = new AbortController();
    followLines(AbortSignal.any([signal, following.signal]));
    tellMissing().catch(() => {}); // the lines themselves say what is wrong
  }

  async function tellMissing() {
    const { missing } = await get(where({ lines: "1" }), signal);
    note.textContent = missing.map((each) => `No lines of ${each.worker_id}: ${each.reason}.`).join(" ");
  }

  async function followLines(until) {
    while (!until.aborted) {
      try {
        const answer = await open("GET", where({ follow: "true", lines: String(FIRST) }), { signal: until });
        lines.clear();
        await eachRow(answer, (row) => lines.add(row));
      } catch (error) {
        if (until.aborted) return;
        note.textContent = error.message;
      }
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }

  restart();
  watch(head.refresh, signal, (error) => complain(error.message));
  return `${name}: logs`;
}

/** Rows of NDJSON; empty ones say only that the connection is alive. */
async function eachRow(answer, take) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const rows = (rest + value).split("\n");
    rest = rows.pop();
    for (const row of rows) if (row.trim()) take(JSON.parse(row));
  }
}

function select(label, options, onchange) {
  return h("select", { "aria-label": label, onchange }, options.map(([value, title]) => h("option", { value }, title)));
}

function linesView() {
  const element = h("div", { class: "lines", role: "log", "aria-live": "off", "aria-label": "Log lines", tabindex: "0" });
  let wanted = "";
  const fits = (line) => line.textContent.toLowerCase().includes(wanted);

  return {
    element,
    add(row) {
      const atEnd = element.scrollHeight - element.scrollTop - element.clientHeight < 40;
      const line = lineView(row);
      line.hidden = !fits(line);
      element.append(line);
      if (element.childElementCount > KEPT) element.firstElementChild.remove();
      if (atEnd) element.scrollTop = element.scrollHeight;
    },
    filter(text) {
      wanted = text.toLowerCase();
      for (const line of element.children) line.hidden = !fits(line);
    },
    clear: () => element.replaceChildren(),
  };
}

function lineView(row) {
  const who = row.task === null ? "connector" : `task ${row.task}`;
  const fields = Object.entries(row.fields).map(([key, value]) => ` ${key}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  return h(
    "div", { class: `level-${row.level.toLowerCase()}`, title: `${row.timestamp} ${row.worker_id} pid ${row.pid ?? "–"}` },
    h("time", { datetime: row.timestamp }, moment(row.timestamp)), " ",
    h("b", {}, row.level.padEnd(5)), ` ${who} `, h("i", {}, row.logger), ` ${row.message}`, h("i", {}, fields.join("")),
    row.exception ? `\n${row.exception}` : "",
  );
}
