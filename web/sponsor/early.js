/** What the sponsor's space does first: see shared/early.js. */

import { requestedCampaign } from "../shared/campaign.js";
import { askEarly, isPlain, warmFormats } from "../shared/early.js";
import { readFragment } from "../shared/fragment.js";
import { readSession } from "../shared/sponsor-session.js";

const campaign = requestedCampaign();
if (isPlain(campaign)) askEarly(`/v1/campaigns/${campaign}`, { preloaded: true });
const session = readSession(campaign);
if (session && !readFragment("token").token) {
  askEarly("/v1/sponsor", { bearer: session.session });
}
warmFormats();
