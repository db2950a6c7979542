/**
 * The privacy notice in a few sentences, beside each form that takes an address.
 */

import { setLink } from "./elements.js";
import { setCampaignText } from "./page-text.js";

/**
 * Fills the places of the page that are for it. Campaigns of earlier versions have no notice.
 *
 * @param {{privacy?: PrivacyAnswer | null}} campaign
 */
export function showPrivacy({ privacy }) {
  for (const place of document.querySelectorAll("[data-privacy]")) {
    const summary = place.querySelector("span");
    const link = place.querySelector("a");
    if (!privacy || !summary || !link) continue;
    setCampaignText(summary, privacy.summary);
    setLink(link, privacy.url);
    place.removeAttribute("hidden");
  }
}
