"""Provisioning: from a blank card to a device that is trusted. Site keys, device identities, certificates."""
