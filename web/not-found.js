/** The page of an address that leads nowhere: it has texts and nothing else. */

import "./shared/page-text.js";
