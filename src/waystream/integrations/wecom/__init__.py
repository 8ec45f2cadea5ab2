"""WeCom (企业微信): a robot in a group of the shop's own staff."""
