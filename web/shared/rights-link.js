/** The link to “Your data” at the foot of every page: for the campaign that the page is about. */

import { requestedCampaign } from "./campaign.js";
import { byId } from "./elements.js";

const campaign = new URLSearchParams({ campaign: requestedCampaign() });
byId("rights", HTMLAnchorElement).href = `/privacy/?${campaign}`;
