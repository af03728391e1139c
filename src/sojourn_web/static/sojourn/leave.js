// "Leave this page": the page is gone at once and the back button does not lead to it.
// Without this script it is a plain link that does the same, but for the history.
const link = document.querySelector("[data-leave]");
let pressed = 0;

function leave() {
  document.body.hidden = true;
  window.location.replace(link.href);
}

if (link) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    leave();
  });
  // Three times Shift, as on other sites.
  document.addEventListener("keyup", (event) => {
    pressed = event.key === "Shift" ? pressed + 1 : 0;
    if (pressed >= 3) leave();
  });
}
