// Totals update by themselves: one event stream, at most four repaints a second.
(function () {
  "use strict";
  const section = document.querySelector("[data-live]");
  if (!section || !window.EventSource) {
    return;
  }
  const state = document.getElementById("live-state");
  const words = document.getElementById("live-words");
  const REPAINT_MS = 250;
  const SPEAK_MS = 20000;
  let waiting = null;
  let painted = 0;
  let spoken = Date.now();

  function show(text, colour) {
    state.textContent = text;
    state.className = "govuk-tag govuk-tag--" + colour;
  }

  function paint() {
    const word = waiting;
    waiting = null;
    painted = Date.now();
    if (word.day !== section.dataset.day) {
      window.location.reload();
      return;
    }
    const today = word.totals[word.day] || {};
    section.querySelectorAll("[data-total]").forEach((place) => {
      const value = today[place.dataset.total];
      if (value === undefined) {
        return;
      }
      const text = value.toLocaleString("en-GB");
      if (place.textContent !== text) {
        place.textContent = text;
        place.classList.remove("sj-changed");
        void place.offsetWidth;
        place.classList.add("sj-changed");
      }
    });
    show("Live, " + word.at + " UTC", "green");
    if (Date.now() - spoken > SPEAK_MS && today.departures !== undefined) {
      spoken = Date.now();
      words.textContent = "Departures today: " + today.departures.toLocaleString("en-GB");
    }
  }

  const stream = new EventSource(section.dataset.events);
  stream.addEventListener("open", () => show("Live", "green"));
  stream.addEventListener("error", () => show("Not connected, trying again", "grey"));
  stream.addEventListener("totals", (event) => {
    const word = JSON.parse(event.data);
    if (word.cells && window.htmx) {
      window.htmx.trigger(document.body, "cells-refreshed");
    }
    if (word.estimates && window.htmx) {
      window.htmx.trigger(document.body, "estimates-refreshed");
    }
    if (Object.keys(word.totals).length === 0) {
      return;
    }
    const first = waiting === null;
    waiting = waiting ? { ...word, totals: { ...waiting.totals, ...word.totals } } : word;
    if (first) {
      window.setTimeout(paint, Math.max(0, painted + REPAINT_MS - Date.now()));
    }
  });
  window.addEventListener("pagehide", () => stream.close());
})();
