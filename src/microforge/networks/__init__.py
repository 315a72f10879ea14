"""Networks, and what may stand for one."""
