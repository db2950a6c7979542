/**
 * The page of an address that leads nowhere. An address whose `#` a filter has rewritten leads where
 * it was meant to.
 */

import "./shared/page-text.js";
import { byId } from "./shared/elements.js";
import { addressOf } from "./shared/campaign.js";

const address = location.pathname + location.search;
const meant = address.replace(/%23/i, "#");
if (meant !== address && /^\/[^/]/.test(meant)) location.replace(meant);

byId("to-landing", HTMLAnchorElement).href = addressOf("/");
