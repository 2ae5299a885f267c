// The first page: workers and connectors, what is wrong first.

import { get } from "./api.js";
import { chart, sparkline } from "./chart.js";
import { h, setAttribute, setText } from "./dom.js";
import * as format from "./format.js";
import { recall, remember } from "./history.js";
import { watch } from "./live.js";
import { complain } from "./messages.js";
import { badge, setState, STATES, tasksText, worst } from "./states.js";
import { scrolling, table, textCell } from "./table.js";

const ALL = "";

// Kept while other pages are looked at.
const choice = { state: ALL, text: "" };

export async function show(main, _, signal) {
  const view = build(main);
  const look = async () => view.show(await get("/connectd/v1/overview", signal));
  await look();
  watch(look, signal, (error) => complain(error.message));
  return "Overview";
}

function build(main) {
  const summary = buildSummary();
  const workers = workersTable();
  const filter = buildFilter(() => show(last));
  const connectors = connectorsTable();
  const nothing = h("p", { class: "note", hidden: true });
  let last = { workers: [], connectors: [] };

  main.append(
    h("h1", { class: "unseen", tabindex: "-1" }, "Overview"),
    summary.element,
    h("section", { "aria-labelledby": "workers" }, h("h2", { id: "workers" }, "Workers"), scrolling("Table of workers", workers.element)),
    h(
      "section", { "aria-labelledby": "connectors" },
      h("div", { class: "bar" }, h("h2", { id: "connectors" }, "Connectors"), filter.element),
      scrolling("Table of connectors", connectors.element), nothing,
    ),
  );

  function show(overview) {
    last = overview;
    const complete = overview.workers.every((worker) => worker.problem === null);
    for (const connector of overview.connectors) note(connector, connector.name, complete);
    for (const worker of overview.workers) note(worker, `worker ${worker.worker_id}`, worker.problem === null);
    summary.show(overview, complete);
    workers.show(overview.workers);
    filter.show(overview.connectors);
    const chosen = overview.connectors.filter(filter.fits);
    connectors.show(chosen);
    nothing.hidden = chosen.length > 0;
    setText(nothing, overview.connectors.length > 0 ? "No connector is like that." : "There are no connectors yet.");
  }

  return { show };
}

/** Totals of which a part is missing would look as if work had been undone. */
function note(item, key, complete) {
  const { work } = item;
  item.now = remember(key, {
    records: complete ? work.records : null,
    recordsPerSecond: work.records_per_s,
    lag: work.lag_records,
    cpuSeconds: complete ? work.cpu_seconds : null,
  });
}

function buildSummary() {
  const facts = ["Connectors", "Failing", "Tasks", "Memory", "CPU"].map((title) => ({ title, value: h("dd", {}) }));
  const throughput = chart("Records/s", "rate", format.rate);
  const lag = chart("Behind, records", "lag", format.count);
  const element = h(
    "section", { class: "summary", "aria-label": "Summary" },
    h("dl", {}, facts.map(({ title, value }) => h("div", {}, h("dt", {}, title), value))),
    throughput.element, lag.element,
  );

  function show({ connectors, workers }, complete) {
    const tasks = connectors.flatMap((each) => Object.entries(each.tasks));
    const failed = connectors.filter((each) => worst(each) === "FAILED").length;
    const texts = [
      format.count(connectors.length),
      format.count(failed),
      format.count(sum(tasks, ([, number]) => number) ?? 0),
      format.bytes(sum(workers, (each) => each.work.memory_bytes)),
      format.percent(sum(workers, (each) => each.now.processor)),
    ];
    facts.forEach(({ value }, index) => setText(value, texts[index]));
    facts[1].value.className = failed > 0 ? "bad" : "";
    const known = connectors.map((each) => each.work);
    remember("all connectors", {
      records: complete ? sum(known, (work) => work.records) : null,
      recordsPerSecond: sum(known, (work) => work.records_per_s),
      lag: sum(known, (work) => work.lag_records),
    });
    throughput.show(recall("all connectors"));
    lag.show(recall("all connectors"));
  }

  return { element, show };
}

function sum(items, value) {
  const known = items.map(value).filter((each) => each !== null && each !== undefined);
  return known.length > 0 ? known.reduce((all, each) => all + each, 0) : null;
}

function buildFilter(changed) {
  const text = h("input", {
    type: "search", placeholder: "name, class or worker", "aria-label": "Filter connectors", "data-filter": true,
    value: choice.text, oninput: () => { choice.text = text.value; changed(); },
  });
  const buttons = [ALL, ...STATES].map((state) => {
    const button = h("button", { type: "button", class: "chip", onclick: () => { choice.state = state; changed(); } });
    return { state, button };
  });
  const element = h("div", { class: "filter", role: "group", "aria-label": "Filter" }, buttons.map(({ button }) => button), text);

  function show(connectors) {
    for (const { state, button } of buttons) {
      const number = state === ALL ? connectors.length : connectors.filter((each) => worst(each) === state).length;
      setText(button, `${state === ALL ? "all" : state.toLowerCase()} ${number}`);
      setAttribute(button, "aria-pressed", String(choice.state === state));
      button.hidden = number === 0 && state !== ALL && choice.state !== state;
    }
  }

  function fits(connector) {
    if (choice.state !== ALL && worst(connector) !== choice.state) return false;
    const wanted = choice.text.trim().toLowerCase();
    return [connector.name, connector.class, connector.worker_id].some((each) => each.toLowerCase().includes(wanted));
  }

  return { element, show, fits };
}

function workersTable() {
  return table({
    caption: "Workers",
    key: (worker) => worker.worker_id,
    before: (a, b) => a.worker_id.localeCompare(b.worker_id),
    rowClass: (worker) => (worker.problem === null ? "" : "bad"),
    columns: [
      { title: "Worker", heads: true, cell: textCell((each) => each.worker_id) },
      { title: "Remarks", cell: textCell((each) => each.problem ?? (each.leads ? "leader" : "")) },
      { title: "Connectors", numeric: true, cell: textCell((each) => format.count(each.connectors)) },
      { title: "Tasks", numeric: true, cell: textCell((each) => format.count(each.tasks)) },
      { title: "Failed", numeric: true, cell: textCell((each) => format.count(each.failed)) },
      { title: "Records/s", numeric: true, cell: textCell((each) => format.rate(each.now.rate)) },
      { title: "Memory", numeric: true, hint: "of its tasks", cell: textCell((each) => format.bytes(each.work.memory_bytes)) },
      { title: "CPU", numeric: true, hint: "of its tasks", cell: textCell((each) => format.percent(each.now.processor)) },
    ],
  });
}

function connectorsTable() {
  const rank = (connector) => Math.min(STATES.indexOf(worst(connector)), STATES.indexOf("RUNNING"));
  return table({
    caption: "Connectors",
    key: (connector) => connector.name,
    before: (a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name),
    rowClass: (connector) => (worst(connector) === "FAILED" ? "bad" : ""),
    columns: [
      { title: "Connector", heads: true, sort: (each) => each.name, cell: nameCell },
      { title: "State", sort: (each) => String(STATES.indexOf(worst(each))), cell: stateCell },
      { title: "Tasks", sort: (each) => tasksText(each.tasks), cell: textCell((each) => tasksText(each.tasks)) },
      { title: "Records/s", numeric: true, sort: (each) => each.now.rate, cell: rateCell, hint: "in the last seconds" },
      { title: "Behind", numeric: true, sort: (each) => each.work.lag_records, cell: textCell((each) => format.lag(each.work.lag_records, each.work.source_lag)), hint: "records, or what the source counts in" },
      { title: "Behind for", numeric: true, sort: (each) => each.work.lag_seconds, cell: textCell((each) => format.duration(each.work.lag_seconds)), hint: "an estimate" },
      { title: "Memory", numeric: true, sort: (each) => each.work.memory_bytes, cell: textCell((each) => format.bytes(each.work.memory_bytes)) },
      { title: "CPU", numeric: true, sort: (each) => each.now.processor, cell: textCell((each) => format.percent(each.now.processor)) },
      { title: "Restarts", numeric: true, sort: (each) => each.work.restarts, cell: textCell((each) => format.count(each.work.restarts)) },
      { title: "Type", sort: (each) => each.type, cell: textCell((each) => each.type) },
      { title: "Worker", sort: (each) => each.worker_id, cell: textCell((each) => each.worker_id) },
    ],
  });
}

function nameCell(connector) {
  const reason = h("span", { class: "reason" });
  const link = h("a", { href: `#/connectors/${encodeURIComponent(connector.name)}` }, connector.name);
  return {
    element: h("span", {}, link, reason),
    show: (each) => setText(reason, each.reason || (each.work.stalled > 0 ? "a call takes longer than it may" : "")),
  };
}

function stateCell(connector) {
  const element = badge(worst(connector));
  return { element, show: (each) => setState(element, worst(each)) };
}

function rateCell(connector) {
  const line = sparkline();
  const number = h("span", {});
  return {
    element: h("span", { class: "rate" }, line.element, number),
    show: (each) => {
      setText(number, format.rate(each.now.rate));
      line.show(recall(connector.name), "rate");
    },
  };
}
