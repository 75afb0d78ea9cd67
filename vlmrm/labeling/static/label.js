"use strict";

const KEYS = { y: "yes", n: "no", u: "unsure" };
const TEXTS = { yes: "Yes", no: "No", unsure: "Unsure" };

const element = (id) => document.getElementById(id);
const buttons = [...document.querySelectorAll("[data-answer]")];

let key = ""; // of the session
let answers = []; // in the file, of each picture: "yes", "no", "unsure" or null
let position = 0; // of the picture shown; after the last one when all are labeled
let seen = false; // the picture is on the screen
let saving = false; // an answer is on its way
const pictures = new Map(); // position to the promise of its image

function load(at) {
  if (!pictures.has(at)) {
    const image = new Image();
    image.alt = `Picture ${at + 1} of ${answers.length}`;
    image.src = `pictures/${key}/${at}.png`;
    pictures.set(at, image.decode().then(() => image));
  }
  return pictures.get(at);
}

function forgetAllBut(...kept) {
  for (const at of pictures.keys()) {
    if (!kept.includes(at)) pictures.delete(at);
  }
}

/** The next picture without an answer after `at`, else the first one, else the end. */
function nextOpen(at) {
  const later = answers.indexOf(null, at + 1);
  const open = later >= 0 ? later : answers.indexOf(null);
  return open >= 0 ? open : answers.length;
}

function say(text, isError = false) {
  element("status").textContent = text;
  element("status").classList.toggle("error", isError);
}

async function show(at) {
  position = at;
  seen = false;
  const finished = at === answers.length;
  const labeled = answers.filter((answer) => answer !== null).length;
  element("progress").value = labeled;
  element("count").textContent = `${labeled} of ${answers.length} labeled`;
  element("finished").hidden = !finished;
  element("picture").hidden = finished;
  element("picture").setAttribute("aria-busy", "true");
  element("back").disabled = at === 0;
  for (const button of buttons) {
    button.disabled = finished;
    button.setAttribute("aria-pressed", String(button.dataset.answer === answers[at]));
  }
  const following = nextOpen(at);
  forgetAllBut(at - 1, at, following);
  if (finished) return;
  let image;
  try {
    image = await load(at);
  } catch {
    pictures.delete(at);
    say("The picture is missing. Is vlmrm label still running? Reload the page.", true);
    return;
  }
  if (position !== at) return; // went on meanwhile
  element("picture").replaceChildren(image);
  element("picture").setAttribute("aria-busy", "false");
  seen = true;
  if (following < answers.length) load(following).catch(() => pictures.delete(following));
}

async function answer(given) {
  if (!seen || saving) return;
  saving = true;
  const at = position;
  try {
    const reply = await fetch(`answers/${key}/${at}`, {
      method: "PUT",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ answer: given }),
    });
    if (!reply.ok) {
      say(`Not saved: ${await reply.text()}`, true);
      return;
    }
    // Other pages may have answered too.
    ({ answers } = await reply.json());
  } catch {
    say("Not saved. Is vlmrm label still running? Reload the page.", true);
    return;
  } finally {
    saving = false;
  }
  say(`Saved: ${TEXTS[given]}`);
  await show(nextOpen(at));
}

async function back() {
  if (position === 0 || saving) return;
  const given = TEXTS[answers[position - 1]];
  say(`Picture ${position} of ${answers.length}` + (given ? `, your answer: ${given}` : ""));
  await show(position - 1);
}

document.addEventListener("keydown", (event) => {
  // A key that is held down must not answer for pictures that nobody has looked at.
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  const pressed = event.key.toLowerCase();
  if (pressed in KEYS) {
    event.preventDefault();
    answer(KEYS[pressed]);
  } else if (pressed === "b" || pressed === "backspace") {
    event.preventDefault();
    back();
  }
});
for (const button of buttons) {
  button.addEventListener("click", () => answer(button.dataset.answer));
}
element("back").addEventListener("click", back);

(async () => {
  try {
    const reply = await fetch("session");
    if (!reply.ok) {
      say(await reply.text(), true);
      return;
    }
    ({ key, answers } = await reply.json());
  } catch {
    say("The server does not answer. Is vlmrm label still running? Reload the page.", true);
    return;
  }
  await show(nextOpen(-1));
})();
