// A connector and its tasks: what they are doing, and why they failed.

import { get, path, send } from "./api.js";
import { chart, sparkline } from "./chart.js";
import { connectorHead } from "./connector.js";
import { h, setChildren, setText } from "./dom.js";
import * as format from "./format.js";
import { recall, remember } from "./history.js";
import { watch } from "./live.js";
import { complain, say } from "./messages.js";
import { may } from "./session.js";
import { go } from "./shortcuts.js";
import { badge, setState } from "./states.js";
import { scrolling, table, textCell } from "./table.js";

export async function show(main, { name }, signal) {
  const head = connectorHead(name, "", () => look());
  const throughput = chart("Records/s", "rate", format.rate);
  const lag = chart("Behind, records", "lag", format.count);
  const missing = h("p", { class: "note bad", role: "status" });
  const traces = tracesView();
  const units = unitsTable(name, () => look());
  main.append(
    head.element, traces.element, missing,
    h("div", { class: "charts" }, throughput.element, lag.element),
    scrolling("Connector and tasks", units.element),
  );

  async function look() {
    const [status, activity] = await Promise.all([
      get(path`/connectors/${name}/status`, signal),
      get(path`/connectd/v1/connectors/${name}/activity`, signal),
    ]);
    head.show(status);
    const rows = merged(name, status, activity.units);
    for (const row of rows) note(row, activity.missing.length === 0);
    units.show(rows);
    traces.show(rows);
    noteAll(name, rows, activity.missing.length === 0);
    throughput.show(recall(name));
    lag.show(recall(name));
    setText(missing, activity.missing.map((each) =>
      `The worker ${each.worker_id} ${each.reason}: states are the last that are known, numbers are missing.`).join(" "));
  }

  try {
    await look();
  } catch (error) {
    if (error.status !== 404) throw error;
    throw new Error(`There is no connector ${name}`, { cause: error });
  }
  watch(look, signal, (error) => (error.status === 404 ? go("#/") : complain(error.message)));
  return name;
}

/** The states that the cluster knows, with what the workers tell of each. */
function merged(name, status, activities) {
  const told = new Map(activities.map((each) => [`${each.task} ${each.worker_id}`, each]));
  return [{ ...status.connector, id: null }, ...status.tasks].map((state) => ({
    ...told.get(`${state.id} ${state.worker_id}`), ...state, key: `${name} ${state.id ?? "connector"}`,
  }));
}

function note(row, complete) {
  row.now = remember(row.key, {
    records: complete ? row.records : null, recordsPerSecond: row.records_per_s, lag: row.lag_records, cpuSeconds: row.cpu_seconds,
  });
}

function noteAll(name, rows, complete) {
  const sum = (value) => rows.reduce((all, row) => (row[value] === null || row[value] === undefined ? all : (all ?? 0) + row[value]), null);
  remember(name, {
    records: complete ? sum("records") : null, recordsPerSecond: sum("records_per_s"), lag: sum("lag_records"), cpuSeconds: null,
  });
}

function unitsTable(name, changed) {
  const columns = [
    { title: "Task", heads: true, sort: (each) => each.id, numeric: false, cell: textCell((each) => (each.id === null ? "connector" : `task ${each.id}`)) },
    { title: "State", sort: (each) => each.state, cell: stateCell },
    { title: "Records/s", numeric: true, sort: (each) => each.now.rate, cell: rateCell, hint: "in the last seconds" },
    { title: "Records", numeric: true, sort: (each) => each.records, cell: textCell((each) => format.count(each.records)), hint: "since the worker started" },
    { title: "Behind", numeric: true, sort: (each) => each.lag_records, cell: textCell((each) => format.lag(each.lag_records, each.source_lag)) },
    { title: "Behind for", numeric: true, sort: (each) => each.lag_seconds, cell: textCell((each) => format.duration(each.lag_seconds)) },
    { title: "Memory", numeric: true, sort: (each) => each.memory_bytes, cell: textCell((each) => format.bytes(each.memory_bytes)) },
    { title: "CPU", numeric: true, sort: (each) => each.now.processor, cell: textCell((each) => format.percent(each.now.processor)) },
    { title: "Restarts", numeric: true, sort: (each) => each.restarts, cell: textCell((each) => format.count(each.restarts)) },
    { title: "Doing", cell: textCell(doing) },
    { title: "For", numeric: true, hint: "in this state", cell: textCell((each) => (each.since ? format.duration(Date.now() / 1000 - each.since) : "–")) },
    { title: "Pid", numeric: true, cell: textCell((each) => (each.pid ? String(each.pid) : "–")) },
    { title: "Worker", sort: (each) => each.worker_id, cell: textCell((each) => each.worker_id) },
  ];
  if (may("operate")) columns.push({ title: "Restart", cell: (row) => restartCell(name, row, changed) });
  return table({
    caption: `The connector ${name} and its tasks`,
    key: (row) => row.key,
    before: (a, b) => (a.id ?? -1) - (b.id ?? -1),
    rowClass: (row) => (row.state === "FAILED" ? "bad" : ""),
    columns,
  });
}

function doing(row) {
  if (row.stalled) return "stalled";
  if (!row.call || row.call === "none") return "";
  return row.call_s >= 2 ? `${row.call} for ${format.duration(row.call_s)}` : row.call;
}

function stateCell(row) {
  const element = badge(row.state);
  return { element, show: (each) => setState(element, each.state) };
}

function rateCell() {
  const line = sparkline();
  const number = h("span", {});
  return {
    element: h("span", { class: "rate" }, line.element, number),
    show: (row) => {
      setText(number, format.rate(row.now.rate));
      line.show(recall(row.key), "rate");
    },
  };
}

function restartCell(name, row, changed) {
  const [what, where] = row.id === null
    ? ["connector", path`/connectors/${name}/restart`]
    : [`task ${row.id}`, path`/connectors/${name}/tasks/${row.id}/restart`];
  const button = h("button", { type: "button", class: "small", "aria-label": `Restart ${what}`, onclick: restart }, "Restart");

  async function restart() {
    button.disabled = true;
    try {
      await send("POST", where);
      say(`The ${what} is being restarted`);
      await changed();
    } catch (error) {
      if (error.name !== "AbortError") complain(`Restart of ${what}: ${error.message}`);
    } finally {
      button.disabled = false;
    }
  }

  return { element: button };
}

/** Why connectors and tasks have failed; what is open stays open, and what is selected selected. */
function tracesView() {
  const element = h("div", { class: "traces" });
  const known = new Map();

  function show(rows) {
    const failed = rows.filter((row) => row.trace);
    setChildren(element, failed.map((row) => {
      const before = known.get(row.key);
      if (before?.trace === row.trace && before.state === row.state) return before.view;
      const view = traceView(row, before?.view.open ?? failed.length === 1);
      known.set(row.key, { trace: row.trace, state: row.state, view });
      return view;
    }));
  }

  return { element, show };
}

function traceView(row, open) {
  const what = row.id === null ? "Connector" : `Task ${row.id}`;
  const copy = h("button", { type: "button", class: "small", onclick: () => copyText(row.trace) }, "Copy trace");
  return h(
    "details", { class: row.state === "FAILED" ? "trace bad" : "trace", open },
    h("summary", {}, h("strong", {}, `${what} `), badge(row.state), ` ${reasonOf(row.trace)}`),
    copy,
    h("pre", { tabindex: "0", role: "region", "aria-label": `Trace of ${what.toLowerCase()}` }, row.trace),
  );
}

/** What a trace says in one line; Python writes it below the calls. */
function reasonOf(trace) {
  const lines = trace.split("\n");
  const begin = lines.findLastIndex((line) => line.startsWith("Traceback "));
  return lines.slice(begin + 1).find((line) => /^\S/.test(line)) ?? lines[0];
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    say("The trace is copied");
  } catch {
    // Browsers allow it on https and on localhost only.
    const area = h("textarea", { class: "unseen", "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    if (copied) say("The trace is copied");
    else complain("The browser does not let this page copy: select the text and copy it");
  }
}

