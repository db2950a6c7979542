/** Asks for what the link names before the page's script is there: see shared/early.js. */

import { requestedCampaign } from "../shared/campaign.js";
import { askEarly } from "../shared/early.js";
import { readFragment } from "../shared/fragment.js";

const PLAIN = /^[\w-]+$/; // Any other, the page's own script escapes.

const { token = "", link = "" } = readFragment("token", "link");
const campaign = requestedCampaign();
if (PLAIN.test(token)) askEarly(`/v1/invitations/${token}`);
else if (PLAIN.test(link) && PLAIN.test(campaign)) {
  askEarly(`/v1/campaigns/${campaign}/links/${link}`);
}
