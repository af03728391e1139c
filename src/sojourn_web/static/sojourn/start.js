// Runs first, so that the page is not drawn twice.
document.documentElement.classList.add("sj-js");
