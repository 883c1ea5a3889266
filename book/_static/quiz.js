// Questions that mark themselves: choose, press Check, hear and read why. Nothing is sent or kept.
// What is said stands in the page, set like all text; without this script it can be unfolded.
(() => {
  "use strict";

  function clear(form, feedback) {
    form.classList.remove("is-right", "is-wrong");
    feedback.replaceChildren();
  }

  function mark(form, feedback) {
    const chosen = form.querySelector("input:checked");
    clear(form, feedback);
    if (!chosen) {
      feedback.textContent = "Choose an answer first.";
      return;
    }
    const said = form.querySelector(`.proda-say[data-choice="${chosen.value}"]`);
    const right = said.hasAttribute("data-right");
    form.classList.add(right ? "is-right" : "is-wrong");
    feedback.append(...[...said.childNodes].map((node) => node.cloneNode(true)));
    if (right) form.querySelector(".proda-answers").hidden = false; // why the others are not
  }

  function count(quiz) {
    const all = quiz.querySelectorAll("form.proda-question").length;
    const right = quiz.querySelectorAll("form.is-right").length;
    quiz.querySelector(".proda-quiz-score").textContent = `${right} of ${all} right.`;
  }

  function prepare(form) {
    const quiz = form.closest(".proda-quiz");
    const feedback = form.querySelector(".proda-feedback");
    form.querySelector("button").hidden = false;
    form.querySelector(".proda-answers").hidden = true;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      mark(form, feedback);
      count(quiz);
    });
    form.addEventListener("change", () => {
      if (!form.matches(".is-right, .is-wrong")) return;
      clear(form, feedback);
      count(quiz);
    });
  }

  const start = () => document.querySelectorAll("form.proda-question").forEach(prepare);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
