/** Asks for the numbers of the account that is signed in before the page's script is there: see shared/early.js. */

import { requestedCampaign } from "../shared/campaign.js";
import { askEarly } from "../shared/early.js";
import { readFragment } from "../shared/fragment.js";
import { goodToken } from "./session.js";

const campaign = requestedCampaign();
const bearer = document.hidden ? null : goodToken(); // A page that nobody sees asks later.
if (/^[a-z0-9-]+$/.test(campaign) && bearer && !readFragment("wall").wall) {
  askEarly(`/v1/ops/campaigns/${campaign}/dashboard`, bearer);
}
