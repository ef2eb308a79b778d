"""From a device on the wall to one that is trusted: configuration, presence, walk test, acceptance.

Pure but for `config_store`, the one place that writes a configuration. The status page shows what is decided here and
draws nothing of its own; what a configuration means is `firmware.config`'s.
"""
