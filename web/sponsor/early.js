/** Asks for the space of the sponsor who is signed in before the page's script is there: see shared/early.js. */

import { requestedCampaign } from "../shared/campaign.js";
import { askEarly } from "../shared/early.js";
import { readFragment } from "../shared/fragment.js";
import { readSession } from "../shared/sponsor-session.js";

const session = readSession(requestedCampaign());
if (session && !readFragment("token").token) askEarly("/v1/sponsor", session.session);
