const GONE = "The server does not answer. Is vlmrm explore still running?";

export let session = null;

async function reply(path, options) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error(GONE);
  }
  if (!answer.ok) throw new Error((await answer.text()).trim());
  return answer.json();
}

/** What the page can choose from; judges get their verdicts by row. */
export async function open() {
  session = await reply("session");
  for (const judge of session.judges) judge.accepts = (row) => judge.verdicts[row] === "1";
}

/** The answer to a question: rank, confusion, diagnosis, or task. */
export function ask(question, query, signal) {
  return reply(`${question}/${session.key}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(query),
    signal,
  });
}

export const thumbnail = (row) => `thumbnails/${session.key}/${row}.png`;
export const picture = (row) => `pictures/${session.key}/${row}.png`;
export const judgeNamed = (name) => session.judges.find((judge) => judge.name === name);
