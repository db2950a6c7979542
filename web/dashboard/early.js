/** What the dashboard does first: see shared/early.js. */

import { requestedCampaign } from "../shared/campaign.js";
import { askEarly, isPlain } from "../shared/early.js";
import { readFragment } from "../shared/fragment.js";
import { goodToken } from "./session.js";

const campaign = requestedCampaign();
const bearer = document.hidden ? null : goodToken(); // A page that nobody sees asks later.
if (isPlain(campaign) && bearer && !readFragment("wall").wall) {
  askEarly(`/v1/ops/campaigns/${campaign}/dashboard`, { bearer });
}
