"""DingTalk (钉钉): a robot in a group of the shop's own staff."""
