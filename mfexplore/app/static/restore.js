// A file that was exported here leads back to where it was made: whatever its form, it carries the link in plain letters.

const MOST = 200e6, MOST_OF_A_TABLE = 4e6; // bytes
const FIELD = name => new RegExp(`${name}(?:\\\\?"|&quot;)\\s*:\\s*(?:\\\\?"|&quot;)(.*?)(?:\\\\?"|&quot;)`);

// The comment of a GIF comes in pieces, each after its length.
function commentOf(bytes) {
  for (let k = 6; k < bytes.length - 2; k += 1) {
    if (bytes[k] !== 0x21 || bytes[k + 1] !== 0xfe) continue;
    let text = "";
    for (let at = k + 2; bytes[at]; at += bytes[at] + 1) text += latin(bytes.subarray(at + 1, at + 1 + bytes[at]));
    if (FIELD("link").test(text)) return text;
  }
  return "";
}

const latin = bytes => new TextDecoder("latin1").decode(bytes);

// The system and the part of the link after the question mark; null if the file does not say.
export async function madeAt(file) {
  if (file.size > MOST) return null;
  const bytes = new Uint8Array(await file.arrayBuffer());
  const text = latin(bytes.subarray(0, 3)) === "GIF" ? commentOf(bytes) : latin(bytes);
  const [, system] = FIELD("system").exec(text) ?? [], [, link] = FIELD("link").exec(text) ?? [];
  if (!system || !link?.includes("?")) return null;
  return {system, query: link.slice(link.indexOf("?") + 1).replaceAll("&amp;", "&")};
}

// The text of a sweep's table, which is to be laid over a diagram; empty if the file is none.
export async function sweepIn(file) {
  if (!/\.csv$/i.test(file.name) || file.size > MOST_OF_A_TABLE) return "";
  const text = await file.text();
  return /^# samples: /m.test(text) ? text : "";
}

export function takeFiles(root, input, open) {
  const area = root.host ?? root;
  const over = event => { if ([...event.dataTransfer.types].includes("Files")) event.preventDefault(); };
  area.addEventListener("dragover", over);
  area.addEventListener("drop", event => {
    const [file] = event.dataTransfer.files;
    if (!file) return;
    event.preventDefault();
    open(file);
  });
  input?.addEventListener("change", () => {
    if (input.files.length) open(input.files[0]);
    input.value = "";
  });
}
