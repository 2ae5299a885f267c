// A table whose rows stay the same elements from one look to the next, and which can be sorted.

import { h, setAttribute, setChildren } from "./dom.js";

/**
 * `columns`: `{title, name, numeric, sort: (item) => value, cell: () => ({element, show(item)})}`; a column without `sort`
 * cannot be sorted by. `key` tells rows apart, `before(a, b)` is the order as long as nobody has chosen a column.
 */
export function table({ caption, columns, key, before, rowClass }) {
  const rows = new Map();
  const body = h("tbody", {});
  let sorting = null;
  let items = [];

  const heads = columns.map((column) => {
    const label = column.sort === undefined
      ? column.title
      : h("button", { type: "button", class: "sort", onclick: () => sortBy(column) }, column.title);
    return h("th", { scope: "col", class: column.numeric ? "number" : null, title: column.hint }, label);
  });
  const element = h(
    "table", {}, h("caption", { class: "unseen" }, caption), h("thead", {}, h("tr", {}, heads)), body,
  );

  function sortBy(column) {
    const descends = sorting?.column === column ? !sorting.descends : column.numeric === true;
    sorting = { column, descends };
    columns.forEach((each, index) =>
      setAttribute(heads[index], "aria-sort", each === column ? (descends ? "descending" : "ascending") : null));
    show(items);
  }

  function order(first, second) {
    if (sorting === null) return before(first, second);
    const [a, b] = [sorting.column.sort(first), sorting.column.sort(second)];
    const compared = typeof a === "string" ? a.localeCompare(b) : (a ?? -1) - (b ?? -1);
    return (sorting.descends ? -compared : compared) || before(first, second);
  }

  function row(item) {
    const known = rows.get(key(item));
    if (known !== undefined) return known;
    const cells = columns.map((column) => column.cell(item));
    const line = h("tr", {}, cells.map((cell, index) =>
      h(columns[index].heads ? "th" : "td", {
        scope: columns[index].heads ? "row" : null,
        class: columns[index].numeric ? "number" : null,
        "data-title": columns[index].title,
      }, cell.element)));
    const made = { line, cells };
    rows.set(key(item), made);
    return made;
  }

  function show(given) {
    items = given;
    const keys = new Set(items.map(key));
    for (const each of [...rows.keys()]) if (!keys.has(each)) rows.delete(each);
    const lines = [...items].sort(order).map((item) => {
      const { line, cells } = row(item);
      for (const cell of cells) cell.show?.(item);
      if (rowClass !== undefined) line.className = rowClass(item);
      return line;
    });
    setChildren(body, lines);
  }

  return { element, show };
}

/** A cell with a text. */
export function textCell(text, properties) {
  return () => {
    const element = h("span", properties);
    return { element, show: (item) => { const now = text(item); if (element.textContent !== now) element.textContent = now; } };
  };
}

/** Wide tables scroll within themselves, also by the keyboard. */
export function scrolling(label, element) {
  return h("div", { class: "scrolling", tabindex: "0", role: "region", "aria-label": label }, element);
}
