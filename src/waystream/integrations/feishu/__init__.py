"""Feishu (飞书, abroad Lark): a robot in a group of the shop's own staff."""
