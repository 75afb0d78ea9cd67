"use strict";

const choices = document.getElementById("choices");
const filtered = document.querySelectorAll("[data-task]");

// Without names, an element belongs to every choice.
function belongs(element, name, value) {
  const names = element.dataset[name].split(" ").filter(Boolean);
  return !value || !names.length || names.includes(value);
}

function choose() {
  const chosen = [...new FormData(choices)];
  for (const element of filtered) {
    element.hidden = !chosen.every(([name, value]) => belongs(element, name, value));
  }
  for (const section of document.querySelectorAll("section:has(> .nothing)")) {
    const shown = [...section.querySelectorAll("figure, details")].some(
      (element) => !element.closest("[hidden]"),
    );
    section.querySelector(".nothing").hidden = shown;
  }
}

choices.addEventListener("change", choose);
// The fields have their first values only after this event.
choices.addEventListener("reset", () => setTimeout(choose));
choices.hidden = false;
choose(); // browsers keep what was chosen before a reload

function sort(header) {
  const table = header.closest("table");
  const column = header.cellIndex;
  const down = header.getAttribute("aria-sort") === "ascending";
  for (const other of table.querySelectorAll("th")) {
    other.removeAttribute("aria-sort");
  }
  header.setAttribute("aria-sort", down ? "descending" : "ascending");
  const value = (row) => row.cells[column].dataset.value;
  const compare = (a, b) => value(a).localeCompare(value(b), "en", { numeric: false });
  const rows = [...table.tBodies[0].rows];
  const isNumber = rows.every((row) => !isNaN(value(row)));
  const order = isNumber ? (a, b) => value(a) - value(b) : compare;
  const known = rows.filter(value).sort((a, b) => (down ? order(b, a) : order(a, b)));
  // What is missing comes last in both directions.
  table.tBodies[0].append(...known, ...rows.filter((row) => !value(row)));
}

for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => sort(button.closest("th")));
}

// The browser's controls cover a video's verdicts until it plays.
if (!matchMedia("(prefers-reduced-motion: reduce)").matches) {
  const viewed = new IntersectionObserver(
    (entries) => {
      for (const { target: video, isIntersecting } of entries) {
        // A video that cannot play shows its error itself.
        isIntersecting ? video.play().catch(() => {}) : video.pause();
      }
    },
    { threshold: 0.5 },
  );
  for (const video of document.querySelectorAll("video")) {
    viewed.observe(video);
  }
}

addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("main details")) {
    details.open = true;
  }
});
