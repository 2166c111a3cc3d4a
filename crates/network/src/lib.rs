//! Bridge networks, addresses, published ports and firewall by netlink.
