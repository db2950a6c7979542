/**
 * The mail that an invitation sends, shown before: in the language that the sponsor chooses for it.
 */

import { byId, createElement, onClick } from "../shared/elements.js";
import { showProblem } from "../shared/form-errors.js";
import { currentLanguage, currentLocale } from "../shared/language.js";
import { clear, onLanguageChange, setText } from "../shared/page-text.js";
import { drawMail } from "./mail-view.js";

/** @type {string[]} */
let languages = [];
let isChosen = false;

/** The language of the mails, where there is a choice. */
export function mailLanguage() {
  return languages.length > 1 ? byId("mail-language", HTMLSelectElement).value : undefined;
}

/**
 * Offers the languages of the campaign; the page's own comes first to mind.
 *
 * @param {string[]} names
 */
export function offerMailLanguages(names) {
  languages = names;
  byId("mail-language-field").hidden = names.length < 2;
  nameLanguages();
}

function nameLanguages() {
  const select = byId("mail-language", HTMLSelectElement);
  const before = isChosen ? select.value : currentLanguage();
  const title = new Intl.DisplayNames(currentLocale(), { type: "language" });
  select.replaceChildren(
    ...languages.map((name) => createElement("option", { value: name }, title.of(name) ?? name)),
  );
  select.value = languages.includes(before) ? before : (languages[0] ?? "");
}

/**
 * Wires the button.
 *
 * @param {(body: PreviewRequest) => Promise<PreviewAnswer | null>} ask null when the session ended
 * @param {() => string | undefined} firstName of whom the mail greets
 */
export function wirePreview(ask, firstName) {
  byId("mail-language").addEventListener("change", () => {
    isChosen = true;
  });
  onLanguageChange(nameLanguages);
  onClick(byId("show-preview"), async () => {
    const notice = byId("preview-notice");
    clear(notice);
    try {
      const mail = await ask({ first_name: firstName(), locale: mailLanguage() });
      if (mail) show(mail);
    } catch (error) {
      showProblem(notice, error);
    }
  });
}

/** @param {PreviewAnswer} mail */
function show({ locale, sender_name: name, sender, subject, text, html }) {
  const sheet = byId("preview", HTMLDialogElement);
  const from = byId("preview-from");
  setText(from, "preview.from", { sender: `${name} <${sender}>` });
  const title = byId("preview-subject");
  title.textContent = subject;
  const mail = byId("preview-mail");
  drawMail(mail, html);
  const plain = byId("preview-text");
  plain.textContent = text;
  for (const part of [title, mail, plain]) part.lang = locale;
  sheet.showModal();
  sheet.scrollTop = 0;
}
