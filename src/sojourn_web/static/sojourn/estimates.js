// Says that new estimates were made; the reader decides when the page changes.
(function () {
  "use strict";
  const place = document.getElementById("newer");
  if (!place || !window.EventSource) {
    return;
  }
  const stream = new EventSource(place.dataset.events);
  stream.addEventListener("totals", (event) => {
    if (!JSON.parse(event.data).estimates || place.firstChild) {
      return;
    }
    const words = document.createElement("p");
    words.className = "govuk-inset-text sj-inset";
    const link = document.createElement("a");
    link.className = "govuk-link";
    link.href = window.location.pathname + window.location.search;
    link.textContent = "Show them";
    words.append("New estimates were made. ", link);
    place.append(words);
  });
  window.addEventListener("pagehide", () => stream.close());
})();
