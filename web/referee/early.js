/** What a referee's page does first: see shared/early.js. */

import { requestedCampaign } from "../shared/campaign.js";
import { askEarly, isPlain, warmFormats } from "../shared/early.js";
import { readFragment } from "../shared/fragment.js";
import { given } from "../shared/given.js";

const { token = "", link = "" } = readFragment("token", "link");
const campaign = given ? "" : requestedCampaign();
if (isPlain(campaign)) askEarly(`/v1/campaigns/${campaign}`, { preloaded: true });
if (isPlain(token)) askEarly(`/v1/invitations/${token}`);
else if (isPlain(link) && isPlain(campaign)) {
  askEarly(`/v1/campaigns/${campaign}/links/${link}`);
}
warmFormats();
