/** What the landing page does first: see shared/early.js. */

import { requestedCampaign } from "./shared/campaign.js";
import { askEarly, isPlain, warmFormats } from "./shared/early.js";

const campaign = requestedCampaign();
if (isPlain(campaign)) askEarly(`/v1/campaigns/${campaign}`, { preloaded: true });
warmFormats();
