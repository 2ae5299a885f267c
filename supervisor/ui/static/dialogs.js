// Asks before something is done that cannot be undone. The browser keeps the focus inside, and brings it back.

import { h, newId } from "./dom.js";

/** Open a dialog; the promise is done with what `close(value)` was given, undefined if it was dismissed. */
export function dialog(title, build) {
  return new Promise((resolve) => {
    const heading = newId("dialog");
    const element = h("dialog", { "aria-labelledby": heading });
    let result;
    const close = (value) => {
      result = value;
      element.close();
    };
    element.append(h("h2", { id: heading }, title), ...build(close));
    element.addEventListener("close", () => {
      element.remove();
      resolve(result);
    });
    document.body.append(element);
    element.showModal();
  });
}

/** Whether it is to be done. What does the least harm has the focus. */
export async function confirm(title, text, verb) {
  return (await dialog(title, (close) => [
    h("p", {}, text),
    h(
      "p",
      { class: "buttons" },
      h("button", { type: "button", autofocus: true, onclick: () => close(false) }, "Cancel"),
      h("button", { type: "button", class: "danger", onclick: () => close(true) }, verb),
    ),
  ])) === true;
}
