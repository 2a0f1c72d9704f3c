// Notices that go by themselves, a few at a time.

const MOST_TOASTS = 3;

export function makeToasts(root) {
  return function toast(text, kind = "error") {
    const there = [...root.querySelectorAll(".toast")];
    for (const one of there) if (one.firstChild.textContent === text) one.remove();
    for (const one of [...root.querySelectorAll(".toast")].slice(0, 1 - MOST_TOASTS)) one.remove();
    const note = document.createElement("div");
    note.className = `toast ${kind}`;
    const words = document.createElement("span");
    words.textContent = text;
    const close = document.createElement("button");
    close.type = "button";
    close.textContent = "×";
    close.setAttribute("aria-label", "Dismiss");
    close.onclick = () => note.remove();
    note.append(words, close);
    root.getElementById("toasts").append(note);
    setTimeout(() => note.remove(), kind === "error" ? 12000 : 8000);
  };
}
