import { initAll } from "../vendor/govuk-frontend.min.js";

document.body.classList.add("js-enabled");
if ("noModule" in HTMLScriptElement.prototype) {
  document.body.classList.add("govuk-frontend-supported");
}
// GOV.UK's button alone swallows a second click, and only where it is asked to be that.
for (const button of document.querySelectorAll("button[data-prevent-double-click]")) {
  button.dataset.module = "govuk-button";
}
initAll();
