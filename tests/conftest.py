"""What all tests share."""

from hypothesis import settings

# Other tests run on the same cores: the time that one example takes says nothing.
settings.register_profile("connectd", deadline=None)
settings.load_profile("connectd")
