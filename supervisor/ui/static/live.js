// Asks again and again while somebody looks, and says when the worker does not answer.

import { setText } from "./dom.js";
import { time } from "./format.js";

const INTERVAL_MS = 2000;

const banner = document.getElementById("offline");
let silentSince = null;

/** Call `look` now and every two seconds while the page is visible, until `signal` ends it. Its errors are given to `fail`,
 * except that the worker does not answer, which the page says by itself. */
export async function watch(look, signal, fail) {
  while (!signal.aborted) {
    await visible(signal);
    if (signal.aborted) return;
    try {
      await look();
      answered();
    } catch (error) {
      if (signal.aborted || error.name === "AbortError") return;
      if (error.status === 0 || error.status === 503) unanswered(error);
      else {
        answered();
        fail(error);
      }
    }
    await pause(INTERVAL_MS, signal);
  }
}

function answered() {
  silentSince = null;
  banner.hidden = true;
}

function unanswered(error) {
  silentSince ??= Date.now();
  setText(
    banner,
    `${error.message}. What you see is from ${time(silentSince)} or before; the page keeps trying.`,
  );
  banner.hidden = false;
}

function visible(signal) {
  if (document.visibilityState === "visible") return Promise.resolve();
  return new Promise((resolve) => {
    document.addEventListener("visibilitychange", resolve, { once: true });
    signal.addEventListener("abort", resolve, { once: true });
  });
}

function pause(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
  });
}
