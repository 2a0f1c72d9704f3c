// For the pages beside the workbench.

import {explainTerms} from "./terms.js";

explainTerms(document.body);
