// After a swap: say what changed in the one live region, and put the focus where it happened.
(function () {
  "use strict";
  const said = document.getElementById("sj-said");

  document.body.addEventListener("htmx:afterSettle", function (event) {
    const place = event.detail.target;
    if (!place || !place.id) {
      return;
    }
    const now = document.getElementById(place.id);
    const heading = now && now.querySelector("[data-focus]");
    if (heading) {
      heading.focus();
    }
    const words = now && now.querySelector("[data-said]");
    if (words && said) {
      said.textContent = "";
      const hidden = document.createElement("span");
      hidden.className = "govuk-visually-hidden";
      hidden.textContent = words.dataset.said;
      said.append(hidden);
    }
  });

  // A refusal is a page of its own, with what was typed: send the form the plain way.
  document.body.addEventListener("htmx:responseError", function (event) {
    const form = event.detail.elt.closest("form");
    if (form && form.hasAttribute("action")) {
      form.submit();
    }
  });
})();
