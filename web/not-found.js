/** The page of an address that leads nowhere: its texts are all there is to it. */

import "/shared/language.js";
