"""Files of any size: how fast orders are read and exports written, and in which memory."""
